"""What a step asks of an order beyond its state and the role of who takes it. Each guard raises in words, or passes.

``now`` None: nothing is said about being too late.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import object_session

from hotline.accounts.roles import TIER_2, Role
from hotline.accounts.service import SYSTEM, Actor
from hotline.callers.numbers import for_texts
from hotline.errors import NotAllowedNow, NotPermitted
from hotline.units.models import Unit
from hotline.work_orders.models import OrderRequest, SubOrder, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import (
    PENDING,
    RATED,
    Action,
    Overlay,
    Part,
    RequestKind,
    RequestState,
    SensitiveKind,
    Status,
    SubState,
    Urgency,
)
from hotline.work_orders.transitions import LIVE
from hotline.work_orders.words import SENSITIVE_WORDS

Guard = Callable[[WorkOrder, Actor, datetime | None], None]


def live_subs(order: WorkOrder) -> list[SubOrder]:
    """Return the parts that are not over, the latest first."""
    return [sub for sub in reversed(order.sub_orders) if sub.state in LIVE]


def live_below(order: WorkOrder, sub: SubOrder) -> list[SubOrder]:
    """Return the parts handed down from one that are not over."""
    return [one for one in live_subs(order) if one.parent_id is not None and one.parent_id == sub.id]


def lead_sub(order: WorkOrder, tier: int) -> SubOrder | None:
    """Return the live sub-order that leads at ``tier``."""
    return next((sub for sub in live_subs(order) if sub.part == Part.LEAD and sub.tier == tier), None)


def pending(order: WorkOrder, kind: RequestKind) -> OrderRequest | None:
    """Return the request of this kind that waits for a decision; of a return, the one of the part that leads."""
    found = (row for row in reversed(order.requests) if row.kind == kind and row.state in PENDING)
    if kind == RequestKind.RETURN:
        return next((row for row in found if row.sub_order is not None and row.sub_order.part == Part.LEAD), None)
    return next(found, None)


def returning_beside(order: WorkOrder, actor: Actor, request_id: int | None = None) -> OrderRequest | None:
    """Return the pending return of an assisting part that this actor decides: the hub tier 2's, a county its own.

    The first, or the one with ``request_id``.
    """
    for row in order.requests:
        if request_id not in (None, row.id):
            continue
        sub = row.sub_order
        if row.kind != RequestKind.RETURN or row.state not in PENDING or sub is None or sub.part == Part.LEAD:
            continue
        above = next((one for one in order.sub_orders if one.id == sub.parent_id), None)
        mine = above is not None and above.unit_id == actor.unit_id and actor.role in TIER_2
        if (sub.tier == 2 and actor.role == Role.REV) or (sub.tier == 3 and mine):
            return row
    return None


def reminded(order: WorkOrder) -> bool:
    """Whether the caller was asked for what is missing a second time."""
    asked = next((event for event in reversed(order.events) if event.action == Action.ASK_INFO), None)
    return asked is not None and bool(asked.data.get("again"))


def gets_texts(order: WorkOrder) -> bool:
    """Whether the citizen may and can be written to, at the number that called or the one they left.

    A confidential order leaves no trace on a telephone others may read.
    """
    caller = order.caller
    return not order.confidential and caller is not None and for_texts(caller.phone, caller.contact) is not None


def untold(order: WorkOrder) -> bool:
    """Whether the caller was asked for what is missing, but no text could say so and nobody has telephoned yet."""
    last = next((event for event in reversed(order.events) if event.action in (Action.ASK_INFO, Action.TELL)), None)
    if last is None or last.action == Action.TELL:
        return False
    # asked before it was written down how
    return bool(last.data["by_telephone"] if "by_telephone" in last.data else not gets_texts(order))


def check(order: WorkOrder, action: Action, actor: Actor, now: datetime | None) -> None:
    """Raise ``NotAllowedNow`` or ``NotPermitted`` where a step of the main line must not be taken."""
    if order.merged_into_id is not None and action not in _WHILE_MERGED:
        raise NotAllowedNow("这张工单已并入另一张工单，随主单办理；需要单独办理请先拆分", status=order.status)
    guard = _MAIN.get((order.status, action)) or _MAIN.get(action)
    if guard is not None:
        guard(order, actor, now)


def check_note(order: WorkOrder, action: Action, actor: Actor, now: datetime | None) -> None:
    """Like ``check``, for what leaves the main state as it is."""
    guard = _NOTES.get(action)
    if guard is not None:
        guard(order, actor, now)


# ---- guards


def _no(words: str, order: WorkOrder) -> NotAllowedNow:
    return NotAllowedNow(words, status=order.status)


def _only_urgent(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if order.urgency == Urgency.NORMAL:
        raise _no("一般工单先提交，由派单员审核后派出", order)
    if order.confidential:
        raise _no("保密工单请先提交，由派单员脱敏放行后派出", order)


def _released(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if order.confidential and not order.released_content:
        raise _no("保密工单请先脱敏放行，再派单", order)


def _may_return(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    mine = next((sub for sub in live_subs(order) if sub.unit_id == actor.unit_id), None)
    if mine is None or mine.state in (SubState.REPORTED, SubState.RETURNING):
        raise _no("现在不能申请退回", order)
    if mine.reported_at is not None:
        raise _no("本单位已反馈办理结果，不能再退回", order)
    # a designation binds tier 2; what a county hands down is between it and its townships
    if not mine.returnable or (mine.tier == 2 and not order.returnable):
        raise _no("这张工单应由本单位办理，不能再退回", order)
    if now is not None and mine.return_until is not None and now > mine.return_until:
        raise _no("已过申请退回的时限，应由本单位办理", order)


def _decides_return(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    asked = pending(order, RequestKind.RETURN)
    if asked is None:
        raise _no("没有待审批的退回申请", order)
    if (asked.tier == 3) != (actor.role in TIER_2):
        who = "由该单位的上级二级单位" if asked.tier == 3 else "由热线中心"
        raise NotPermitted(f"这次退回{who}审批")


def _hub_decides_return(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    asked = pending(order, RequestKind.RETURN)
    if asked is None or asked.tier == 3:
        raise _no("三级单位的退回先由它的上级审批", order)


def _decides_return_beside(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if returning_beside(order, actor) is None:
        raise _no("没有待审批的退回申请", order)


def _has_handed_down(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    mine = next((sub for sub in live_subs(order) if sub.unit_id == actor.unit_id), None)
    if mine is None or not live_below(order, mine):
        raise _no("没有转派给下级单位，不用撤回", order)


def _may_ask_extension(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if pending(order, RequestKind.EXTENSION) is not None:
        raise _no("延期申请正在审批", order)
    if order.extension_count >= (most := rules_of(order).bounds.extensions):
        raise _no(f"最多延期 {most} 次" if most else "本市的办理时限不能延期", order)
    if order.deadline_at is None or (now is not None and now > order.deadline_at):
        raise _no("延期应在到期之前申请", order)


def _decides_extension(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    asked = pending(order, RequestKind.EXTENSION)
    if asked is None:
        raise _no("没有待审批的延期申请", order)
    if (asked.state == RequestState.ASKED) != (actor.role == Role.U2L):
        who = "二级单位负责人" if asked.state == RequestState.ASKED else "热线中心督办员"
        raise NotPermitted(f"现在由{who}审批")


def _unanswered(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if untold(order):
        raise _no("还没有电话告知来电人缺什么，不能办结", order)
    early = now is not None and order.step_due_at is not None and now < order.step_due_at
    if early or not reminded(order):
        raise _no("提醒一次后仍未补充的，到期方可办结", order)


def _may_remind(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if untold(order):
        raise _no("还没有电话告知来电人缺什么，不用提醒", order)
    if reminded(order):
        raise _no("已经提醒过来电人", order)


def _must_be_told(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if not untold(order):
        raise _no("来电人不需要电话告知", order)


def _may_ask_suspension(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if pending(order, RequestKind.SUSPENSION) is not None:
        raise _no("挂起申请正在审批", order)


def _decides_suspension(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if pending(order, RequestKind.SUSPENSION) is None:
        raise _no("没有待审批的挂起申请", order)


def explanation_to_decide(order: WorkOrder, actor: Actor) -> OrderRequest:
    """Return the explanation this actor decides now: never one's own."""
    asked = pending(order, RequestKind.EXPLANATION)
    if asked is None:
        raise _no("没有待审批的合理解释", order)
    if asked.asked_by == actor.user_id:
        raise NotPermitted("自己提请的合理解释由别的督办员审定")
    return asked


def _decides_explanation(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    explanation_to_decide(order, actor)


def _may_explain(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if pending(order, RequestKind.EXPLANATION) is not None:
        raise _no("合理解释正在审批", order)


def _has_a_notice(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if all(notice.unit_id != actor.unit_id or notice.replied_at is not None for notice in order.notices):
        raise _no("没有待回复的督办通知", order)


def _may_claim(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if order.claim != Overlay.NONE:
        raise _no("不合理诉求只能申报一次", order)


def _decides_claim(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    asked = pending(order, RequestKind.CLAIM)
    if asked is None:
        raise _no("没有待认定的不合理诉求", order)
    _from_outside(asked, actor)


def _from_outside(asked: OrderRequest, actor: Actor) -> None:
    """Nobody of the unit that asks, or of one below it, sits on the panel that decides."""
    session = object_session(asked)
    own = session.get(Unit, actor.unit_id) if session is not None and actor.unit_id is not None else None
    if own is not None and asked.unit is not None and own.path.startswith(asked.unit.path):
        raise NotPermitted("本单位的申报由单位以外的人裁定")


def _may_appeal(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if order.appeal != Overlay.NONE:
        raise _no("每张工单只能申诉一次", order)
    if order.close_kind not in RATED:
        raise _no("没有评价的工单不计入考核，无需申诉", order)
    if now is not None and order.appeal_until is not None and now > order.appeal_until:
        raise _no("已过申诉期限", order)


def _decides_appeal(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    asked = pending(order, RequestKind.APPEAL)
    if asked is None:
        raise _no("没有待裁定的申诉", order)
    _from_outside(asked, actor)


def _may_withdraw(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if order.sensitive_kind:
        raise _no(f"{SENSITIVE_WORDS[SensitiveKind(order.sensitive_kind)]}类诉求不能撤诉", order)


def _may_review(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    days = rules_of(order).bounds.reopened_days
    if now is not None and order.closed_at is not None and now - order.closed_at > timedelta(days=days):
        raise _no(f"办结已超过 {days} 天，请重新登记诉求", order)


def _nobody_to_ask(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if order.caller_id is not None or order.caller is not None:
        raise _no("有来电人的工单应当回访后办结", order)


def _somebody_to_ask(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if order.caller_id is None and order.caller is None:
        raise _no("没有来电人的工单，请核对办理前后的照片后办结", order)


def _goes_with_its_main(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if actor.role == SYSTEM.role and order.merged_into_id is None:
        raise _no("只有并入其他工单的才随主单转回访", order)


def _not_merged(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if order.merged_into_id is not None:
        raise _no("这张工单已并入另一张工单", order)


def _is_confidential(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if not order.confidential:
        raise _no("这张工单没有要求保密，不用脱敏", order)


def _is_for_many(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if not order.households:
        raise _no("这张工单没有批量户名单", order)


def _merged(order: WorkOrder, actor: Actor, now: datetime | None) -> None:
    if order.merged_into_id is None:
        raise _no("这张工单没有合并", order)


_WHILE_MERGED: Final = frozenset(
    {
        Action.CALL_BACK,
        Action.WITHDRAW,
        Action.CLOSE,
        Action.REDO,
        Action.TAKE_UP,
        Action.SUPPLEMENT,
        Action.REVIEW,
        Action.ARCHIVE,
    }
)
_MAIN: Final[dict[tuple[str, Action] | Action, Guard]] = {
    (Status.DRAFT, Action.DISPATCH): _only_urgent,
    (Status.TO_REVIEW, Action.DISPATCH): _released,
    (Status.TO_CHECK_HUB, Action.APPROVE): _somebody_to_ask,
    (Status.NEEDS_INFO, Action.CLOSE): _unanswered,
    (Status.TO_CHECK_HUB, Action.CLOSE): _nobody_to_ask,
    Action.RETURN: _may_return,
    Action.ACCEPT_RETURN: _decides_return,
    Action.REFUSE_RETURN: _decides_return,
    Action.TO_PANEL: _hub_decides_return,
    Action.SUSPEND: _decides_suspension,
    Action.CALL_BACK: _goes_with_its_main,
    Action.WITHDRAW: _may_withdraw,
    Action.REVIEW: _may_review,
}
_NOTES: Final[dict[Action, Guard]] = {
    Action.RELEASE: _is_confidential,
    Action.SETTLE_HOUSEHOLDS: _is_for_many,
    Action.RETURN: _may_return,
    Action.ACCEPT_RETURN: _decides_return_beside,
    Action.REFUSE_RETURN: _decides_return_beside,
    Action.ASK_INFO: _may_remind,
    Action.TELL: _must_be_told,
    Action.RECALL: _has_handed_down,
    Action.ASK_EXTENSION: _may_ask_extension,
    Action.GRANT_EXTENSION: _decides_extension,
    Action.REFUSE_EXTENSION: _decides_extension,
    Action.ASK_SUSPENSION: _may_ask_suspension,
    Action.REFUSE_SUSPENSION: _decides_suspension,
    Action.EXPLAIN: _may_explain,
    Action.REFUSE_EXPLANATION: _decides_explanation,
    Action.REPLY_NOTICE: _has_a_notice,
    Action.CLAIM: _may_claim,
    Action.DECIDE_CLAIM: _decides_claim,
    Action.APPEAL: _may_appeal,
    Action.DECIDE_APPEAL: _decides_appeal,
    Action.MERGE: _not_merged,
    Action.UNMERGE: _merged,
}
