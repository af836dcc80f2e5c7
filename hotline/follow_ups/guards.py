"""What a callback asks of whoever makes it, and of what they say they heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.follow_ups.models import Callback
from hotline.follow_ups.states import OFFICERS, STATE_WORDS, CallbackState, Reason, Way
from hotline.work_orders.asks.explanations import Explanation
from hotline.work_orders.models import OrderEvent, Report, WorkOrder
from hotline.work_orders.states import Action, Satisfaction, Solved

_HANDLING: Final = (
    Action.OPEN,
    Action.SUBMIT,
    Action.DISPATCH,
    Action.SIGN,
    Action.HAND_DOWN,
    Action.REPORT,
    Action.APPROVE,
    Action.REJECT,
)


def why_not(session: Session, callback: Callback, actor: Actor) -> str:
    """Return why this person may not make this callback, "" when they may."""
    if actor.role not in OFFICERS:
        return "只有回访员或督办员可以回访"
    order = session.get_one(WorkOrder, callback.order_id)
    handled = select(OrderEvent.id).where(
        OrderEvent.order_id == order.id,
        OrderEvent.actor_user_id == actor.user_id,
        OrderEvent.action.in_(_HANDLING),
    )
    reported = select(Report.id).where(Report.order_id == order.id, Report.user_id == actor.user_id)
    if order.operator_id == actor.user_id or session.scalar(handled.limit(1)) or session.scalar(reported.limit(1)):
        return "经办过这张工单的人不能回访"
    if actor.unit_id in {sub.unit_id for sub in order.sub_orders}:
        return "承办单位的人不能回访本单位的工单"
    return ""


def may_ask(session: Session, callback: Callback, actor: Actor) -> None:
    """Raise ``NotPermitted`` with the reason of ``why_not``."""
    if fault := why_not(session, callback, actor):
        raise NotPermitted(fault)


def must_hold(session: Session, callback: Callback, actor: Actor) -> None:
    """The same, and ``NotAllowedNow`` for whoever has not taken the callback."""
    may_ask(session, callback, actor)
    if callback.state != CallbackState.TAKEN or callback.officer_id != actor.user_id:
        word = STATE_WORDS[CallbackState(callback.state)]
        raise NotAllowedNow(f"{word}，请先领取再回访", allowed=["领取"], status=callback.state)


def check_said(  # noqa: PLR0917 - what was said, as it is asked
    way: str,
    satisfaction: str,
    solved: str,
    contacted: bool | None,
    reasons: Sequence[str],
    explanation: Explanation | None,
) -> None:
    """Raise ``Invalid`` naming what a citizen's answer lacks or cannot be; a person has to ask all of it."""
    faults: dict[str, object] = {}
    if way not in set(Way):
        faults["way"] = "没有这种回访方式"
    if satisfaction not in set(Satisfaction):
        faults["satisfaction"] = "请选择满意度"
    if solved and solved not in set(Solved):
        faults["solved"] = "请选择是否解决"
    if unknown := [reason for reason in reasons if reason not in set(Reason)]:
        faults["reasons"] = f"没有这个原因：{'、'.join(unknown)}"
    if way == Way.PERSON and satisfaction == Satisfaction.DISSATISFIED:
        if not solved:
            faults["solved"] = "请问清问题是否解决"
        if contacted is None:
            faults["contacted"] = "请问清承办单位是否联系过"
        if not reasons:
            faults.setdefault("reasons", "请选择不满意原因")
    if explanation is not None:
        faults |= explanation.faults(satisfaction=satisfaction, solved=solved, contacted=contacted)
    if way != Way.PERSON and satisfaction == Satisfaction.NONE:
        faults["satisfaction"] = "没有收到评价"
    if faults:
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)
