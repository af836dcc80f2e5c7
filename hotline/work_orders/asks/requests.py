"""What every request (申请) about an order has in common: asked, passed on, granted, refused, or overtaken.

The verbs around it say who may, move the order and write the event; each changes the order itself, so that of two
who decide at once the second is told (see ``steps.flush``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow
from hotline.work_orders.models import OrderRequest, SubOrder, WorkOrder
from hotline.work_orders.states import DONE, PENDING, Overlay, RequestKind, RequestState, Status, SubState
from hotline.work_orders.transitions import LIVE, WITH_UNITS
from hotline.work_orders.words import REQUEST_STATE_WORDS, REQUEST_WORDS

_WITH_ITS_PART: Final = frozenset({RequestKind.RETURN, RequestKind.EXTENSION, RequestKind.SUSPENSION})
# the states in which a request of the kind still has a meaning; elsewhere the order went on without it
_ALIVE: Final[dict[RequestKind, frozenset[Status]]] = {
    RequestKind.RETURN: WITH_UNITS,
    RequestKind.EXTENSION: frozenset(
        {Status.IN_HAND, Status.TO_SIGN_TIER3, Status.IN_HAND_TIER3, Status.RETURN_ASKED, Status.SUSPENDED}
    ),
    RequestKind.SUSPENSION: frozenset({Status.IN_HAND, Status.TO_SIGN_TIER3, Status.IN_HAND_TIER3}),
    RequestKind.EXPLANATION: frozenset({Status.TO_CALL_BACK}),
    RequestKind.CLAIM: frozenset(Status) - {Status.ARCHIVED},
    RequestKind.APPEAL: DONE | {Status.REVIEW},
}
_OVERLAYS: Final = {
    RequestKind.EXTENSION: "extension",
    RequestKind.CLAIM: "claim",
    RequestKind.APPEAL: "appeal",
}


def ask(
    order: WorkOrder,
    kind: RequestKind,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
    sub: SubOrder | None = None,
    due_at: datetime | None = None,
    ground: str = "",
    moment: datetime | None = None,
    line_id: int | None = None,
    suggested_unit_id: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> OrderRequest:
    """Write down what is asked, of ``sub`` or of the whole order, to be decided by ``due_at``; sets the overlay.

    ``reason`` is encrypted; ``details`` are ids and codes only. Raises ``Invalid`` without a reason and
    ``NotAllowedNow`` while one of the kind waits for the same part.
    """
    if not reason.strip():
        raise Invalid("请说明原因", reason="请说明原因")
    if waiting(order, kind, sub) is not None:
        raise NotAllowedNow(f"{REQUEST_WORDS[kind]}申请正在审批，不必重复申请", status=order.status)
    row = OrderRequest(
        kind=kind,
        state=RequestState.ASKED,
        sub_order=sub,
        unit_id=sub.unit_id if sub is not None else actor.unit_id,
        tier=sub.tier if sub is not None else 0,
        asked_by=actor.user_id,
        asked_role=actor.role,
        asked_at=now,
        due_at=due_at,
        ground=ground,
        reason=reason.strip(),
        moment=moment,
        line_id=line_id,
        suggested_unit_id=suggested_unit_id,
        details=dict(details or {}),
    )
    order.requests.append(row)
    _show(row, Overlay.ASKED)
    return row


def waiting(order: WorkOrder, kind: RequestKind, sub: SubOrder | None = None) -> OrderRequest | None:
    """Return the request of this kind that waits for a decision about one part, or about the whole order."""
    return next(
        (row for row in order.requests if row.kind == kind and row.sub_order is sub and row.state in PENDING), None
    )


def pass_on(row: OrderRequest, *, actor: Actor, now: datetime, due_at: datetime | None = None) -> None:
    """The first of two deciders agrees; the second decides by ``due_at``."""
    if row.state != RequestState.ASKED:
        raise _decided(row)
    row.state, row.passed_by, row.passed_at = RequestState.PASSED, actor.user_id, now
    row.due_at = due_at or row.due_at


def grant(row: OrderRequest, *, actor: Actor, now: datetime, answer: str = "") -> None:
    """Agree. Raises ``NotAllowedNow`` when it was decided before."""
    _decide(row, RequestState.GRANTED, actor, now, answer)
    _show(row, Overlay.GRANTED)


def refuse(row: OrderRequest, *, actor: Actor, now: datetime, answer: str, field: str = "reason") -> None:
    """Do not agree, and say why; ``Invalid`` naming ``field`` without an answer."""
    if not answer.strip():
        raise Invalid("请说明不同意的理由", **{field: "请说明不同意的理由"})
    _decide(row, RequestState.REFUSED, actor, now, answer)
    _show(row, Overlay.REFUSED)


def drop(row: OrderRequest, *, now: datetime) -> None:
    """The order goes on without it: nobody agreed and nobody refused. A part that waited is what it was before."""
    _decide(row, RequestState.DROPPED, None, now, "")
    _show(row, Overlay.GRANTED if _granted_before(row) else Overlay.NONE)
    part = row.sub_order
    if row.kind == RequestKind.RETURN and part is not None and part.state == SubState.RETURNING:
        part.state, part.before_return = part.before_return, ""


def drop_overtaken(order: WorkOrder, *, now: datetime) -> list[OrderRequest]:
    """Drop what has no meaning any more in the order's present state, and return it. ``steps.advance`` asks this."""
    over = [row for row in order.requests if row.state in PENDING and _is_over(order, row)]
    for row in over:
        drop(row, now=now)
    return over


def _is_over(order: WorkOrder, row: OrderRequest) -> bool:
    kind = RequestKind(row.kind)
    gone = row.sub_order is not None and row.sub_order.state not in LIVE
    return order.status not in _ALIVE[kind] or (gone and kind in _WITH_ITS_PART)


def _decide(row: OrderRequest, state: RequestState, actor: Actor | None, now: datetime, answer: str) -> None:
    if row.state not in PENDING:
        raise _decided(row)
    row.state, row.decided_by, row.decided_at = state, actor.user_id if actor else None, now
    row.answer = answer.strip() or None


def _decided(row: OrderRequest) -> NotAllowedNow:
    words = REQUEST_STATE_WORDS[RequestState(row.state)]
    return NotAllowedNow(f"这项{REQUEST_WORDS[RequestKind(row.kind)]}申请{words}，不能再办理", status=row.state)


def _show(row: OrderRequest, overlay: Overlay) -> None:
    if name := _OVERLAYS.get(RequestKind(row.kind)):
        setattr(row.order, name, overlay)


def _granted_before(row: OrderRequest) -> bool:
    return any(one.kind == row.kind and one.state == RequestState.GRANTED for one in row.order.requests)
