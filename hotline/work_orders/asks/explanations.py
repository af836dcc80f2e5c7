"""A citizen is not satisfied, but law or condition forbids more (T26): an officer proposes, a supervisor decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid
from hotline.work_orders.asks import requests
from hotline.work_orders.closing import appeal_limit, close_order, record_evaluation
from hotline.work_orders.guards import explanation_to_decide, pending
from hotline.work_orders.models import OrderRequest, WorkOrder
from hotline.work_orders.states import Action, CloseKind, ExplainGround, RequestKind, Satisfaction, Solved
from hotline.work_orders.steps import note, note_rule_for, rule_for
from hotline.work_orders.words import EXPLAIN_WORDS

WORDS_AT_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why nothing more can be done, and what the citizen was told of it."""

    ground: str  # see states.ExplainGround
    explained: str

    def faults(self, *, satisfaction: str, solved: str, contacted: bool | None) -> dict[str, object]:
        """Return what keeps it from standing, a sentence by field."""
        faults: dict[str, object] = {}
        if self.ground not in set(ExplainGround):
            faults["ground"] = f"请选择：{'、'.join(EXPLAIN_WORDS.values())}"
        if not self.explained.strip():
            faults["explained"] = "请写明向市民作了哪些解释"
        elif len(self.explained.strip()) > WORDS_AT_MOST:
            faults["explained"] = f"最多 {WORDS_AT_MOST} 字"
        if satisfaction != Satisfaction.DISSATISFIED:
            faults["satisfaction"] = "市民不满意时才需要合理解释"
        if solved != Solved.IMPOSSIBLE:
            faults["solved"] = "按合理解释办结的，请选择“无法解决”"
        if contacted is not True:
            faults["contacted"] = "承办单位没有联系过市民的，应当重办"
        return faults


def explain(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    explanation: Explanation,
    round: int,
    satisfaction: str,
    solved: str,
    contacted: bool | None,
    reasons: Sequence[str] = (),
) -> OrderRequest:
    """Keep what the citizen said of round ``round`` and ask a supervisor to close the order as explained.

    Until then it neither closes nor is redone. Raises ``Invalid`` naming what does not fit.
    """
    note_rule_for(order, Action.EXPLAIN, actor, now)
    if faults := explanation.faults(satisfaction=satisfaction, solved=solved, contacted=contacted):
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)
    said = {"satisfaction": satisfaction, "solved": solved, "contacted": contacted, "reasons": list(reasons)}
    words = explanation.explained.strip()
    row = requests.ask(
        order,
        RequestKind.EXPLANATION,
        actor=actor,
        now=now,
        reason=words,
        ground=explanation.ground,
        details={"round": round, **said},
    )
    data = {"explanation": explanation.ground, "round": round, **said}
    note(session, order, Action.EXPLAIN, actor=actor, now=now, data=data, private={"explained": words})
    return row


def grant_explanation(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    answer: str = "",
) -> WorkOrder:
    """Agree (N14 to N16): closed as explained, counted as dissatisfied and impossible to solve.

    Raises ``NotPermitted`` for whoever proposed it.
    """
    rule_for(order, Action.CLOSE, actor, now)
    row = explanation_to_decide(order, actor)
    said = _said(row)
    order.first_satisfaction = order.first_satisfaction or said["satisfaction"]
    requests.grant(row, actor=actor, now=now, answer=answer)
    close_order(
        session,
        order,
        CloseKind.EXPLAINED,
        actor=actor,
        now=now,
        satisfaction=said["satisfaction"],
        solved=said["solved"],
        data=said,
        private={"answer": answer.strip()},
        appeal_until=appeal_limit(order, now=now, calendar=calendar, tz=tz),
    )
    return order


def refuse_explanation(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    answer: str,
) -> WorkOrder:
    """Do not agree, and say why: the order goes the way it would have gone without it (T24), mostly to a redo."""
    note_rule_for(order, Action.REFUSE_EXPLANATION, actor, now)
    row = pending(order, RequestKind.EXPLANATION)
    assert row is not None, "the guard found it"
    requests.refuse(row, actor=actor, now=now, answer=answer, field="answer")
    said = _said(row)
    private = {"answer": answer.strip()}
    note(
        session,
        order,
        Action.REFUSE_EXPLANATION,
        actor=actor,
        now=now,
        data={"explanation": row.ground, "round": said["round"]},
        private=private,
    )
    return record_evaluation(session, order=order, actor=actor, now=now, calendar=calendar, tz=tz, **said)


def _said(row: OrderRequest) -> dict[str, Any]:
    """Return what the citizen said, as ``record_evaluation`` takes it."""
    return {name: row.details[name] for name in ("round", "satisfaction", "solved", "contacted", "reasons")}
