"""Forgetting a person for good, everywhere: who they were, their calls, their words in orders and in callbacks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.callers.models import Caller
from hotline.callers.service import REASON_AT_LEAST, REASON_AT_MOST
from hotline.errors import Invalid, NotPermitted
from hotline.follow_ups.models import Evaluation
from hotline.work_orders import forgetting as orders
from hotline.work_orders.models import WorkOrder

MAY_FORGET: Final = frozenset({Role.ADM, Role.SEC})


def forget(
    session: Session, *, callers: Sequence[Caller], actor: Actor, reason: str, now: datetime
) -> Sequence[WorkOrder]:
    """Forget these contacts in every table and return the orders they stood in; a row a contact says who did and why.

    What each kind of words becomes is told in ``work_orders.forgetting``; ratings stay, what was said with them goes.
    Raises ``NotPermitted`` but for the administrators of system and security, ``Invalid`` without a reason,
    ``NotAllowedNow`` (nothing is changed then) while one of their orders or calls is not over.
    """
    if actor.role not in MAY_FORGET:
        raise NotPermitted("只有系统管理员和安全管理员可以删除来电人信息")
    words = reason.strip()
    if not REASON_AT_LEAST <= len(words) <= REASON_AT_MOST:
        fault = f"请写明删除理由，{REASON_AT_LEAST} 至 {REASON_AT_MOST} 字"
        raise Invalid(fault, reason=fault)
    with session.begin_nested():
        found = [
            order
            for caller in callers
            for order in orders.forget(session, caller=caller, actor=actor, reason=words, now=now)
        ]
        theirs = select(WorkOrder.id).where(WorkOrder.caller_id.in_([caller.id for caller in callers]))
        session.execute(update(Evaluation).where(Evaluation.order_id.in_(theirs)).values(comment=None))
    return found
