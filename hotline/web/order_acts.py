"""What programs may do to an order: one table for every door, which the API's description is made from too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.units import queries as units
from hotline.web.context import runtime
from hotline.web.json_body import Take, flag, moment, read_object, take, text, texts
from hotline.web.order_pages import by_clock
from hotline.work_orders import queries, service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import ACTION_WORDS, Action
from hotline.work_orders.transitions import NOTES, TRANSITIONS


@dataclass(frozen=True, slots=True)
class Act:
    """One action of the API: its verb, the fields it takes, and whether it reckons with calendar and zone."""

    verb: Callable[..., object]
    fields: Mapping[str, Take]
    required: frozenset[str] = frozenset()
    clock: bool = True


ACTS: Final[dict[str, Act]] = {
    "dispatch": Act(
        service.dispatch,
        {"lead_unit": text, "assisting": texts, "advice": text, "hard": flag},
        frozenset({"lead_unit"}),
    ),
    "sign": Act(service.sign, {}, clock=False),
    "hand_down": Act(service.hand_down, {"unit": text, "due_at": moment, "advice": text}, frozenset({"unit"})),
    "report": Act(
        service.report,
        {
            "contacted": flag,
            "contacted_at": moment,
            "contact_way": text,
            "solved": text,
            "unsolved_reason": text,
            "process": text,
            "public_reply": text,
        },
        frozenset({"contacted", "solved", "public_reply"}),
    ),
    "approve": Act(service.approve, {"note": text}),
    "reject": Act(service.reject, {"reason": text}, frozenset({"reason"}), clock=False),
    "supplement": Act(service.supplement, {"text": text}, frozenset({"text"})),
    "urge": Act(service.urge, {"text": text}, clock=False),
    "withdraw": Act(
        service.withdraw, {"reason": text, "read_back_ok": flag}, frozenset({"reason", "read_back_ok"}), clock=False
    ),
    "refuse": Act(service.refuse, {"ground": text, "channel": text}, frozenset({"ground"}), clock=False),
    "release": Act(service.release, {"content": text}, frozenset({"content"}), clock=False),
    "merge": Act(service.merge, {"into": text}, frozenset({"into"}), clock=False),
    "unmerge": Act(service.unmerge, {}, clock=False),
    "call_back": Act(
        service.settle,
        {"spoke_to": text, "result": text, "public_reply": text, "solved": text, "unsolved_reason": text},
        frozenset({"spoke_to", "result", "public_reply"}),
    ),
    "supervise": Act(
        service.supervise,
        {"level": text, "words": text, "kind": text, "unit": text, "reply_due": moment},
        frozenset({"level", "words"}),
        clock=False,
    ),
    "reply_notice": Act(service.reply_notice, {"text": text}, frozenset({"text"}), clock=False),
    "leader_note": Act(service.note_leader, {"leader": text, "text": text}, frozenset({"leader", "text"}), clock=False),
    "claim": Act(service.claim, {"ground": text, "evidence": text}, frozenset({"ground", "evidence"}), clock=False),
    "decide_claim": Act(
        service.decide_claim, {"upheld": flag, "answer": text}, frozenset({"upheld", "answer"}), clock=False
    ),
    "appeal": Act(service.appeal, {"reason": text}, frozenset({"reason"}), clock=False),
    "decide_appeal": Act(
        service.decide_appeal, {"upheld": flag, "answer": text}, frozenset({"upheld", "answer"}), clock=False
    ),
}
CLERKS: Final = frozenset({Role.U2, Role.U3})
UNIT_ARGUMENTS: Final = {"lead_unit": "lead_unit_id", "unit": "unit_id"}  # programs name units by code


def for_units() -> dict[str, Act]:
    """Return the actions a clerk of a unit may ever do."""
    rules = [(action, rule) for (_, action), rule in TRANSITIONS.items()]
    rules += [(action, rule) for action, (_, rule) in NOTES.items()]
    theirs = {action for action, rule in rules if not rule.roles.isdisjoint(CLERKS)}
    return {name: act for name, act in ACTS.items() if name in theirs}


def read_action() -> tuple[str, dict[str, Any]]:
    """Return the action the request names and its other fields. Raises ``Invalid`` where it names none."""
    fields = read_object()
    name = fields.pop("action", None)
    if not isinstance(name, str):
        raise Invalid("请给出 action", action="缺少或不是文字")
    return name, fields


def do(session: Session, order: WorkOrder, name: str, fields: dict[str, Any], actor: Actor) -> None:
    """Do an action to an order. Raises ``NotAllowedNow`` with what is allowed, by the codes programs can send."""
    try:
        _do(session, order, name, fields, actor)
    except NotAllowedNow as fault:
        raise NotAllowedNow(fault.message, **fault.details | {"allowed": allowed(order, actor)}) from fault


def allowed(order: WorkOrder, actor: Actor) -> list[str]:
    """Return the actions this actor may do to the order now through these doors."""
    return [action.value for action, _ in queries.allowed_actions(order, actor) if action in ACTS]


def _do(session: Session, order: WorkOrder, name: str, fields: dict[str, Any], actor: Actor) -> None:
    wanted = ACTS.get(name)
    if wanted is None:
        may = "、".join(ACTION_WORDS[Action(action)] for action in allowed(order, actor))
        raise NotAllowedNow(f"没有这个动作；现在可以：{may or '无'}")
    values = take(fields, wanted.fields, required=wanted.required)
    for field, argument in UNIT_ARGUMENTS.items():
        if field in values:
            values[argument] = _unit_id(session, field, values.pop(field))
    if "assisting" in values:
        values["assisting_ids"] = [_unit_id(session, "assisting", code) for code in values.pop("assisting")]
    if "into" in values:
        values["into"] = _order(session, actor, "into", values["into"])
    extra = by_clock() if wanted.clock else {}
    wanted.verb(session, order=order, actor=actor, now=runtime().now(), **extra, **values)


def _order(session: Session, actor: Actor, field: str, number: str) -> WorkOrder:
    try:
        return queries.visible_to(session, actor, number)
    except NotFound as fault:
        raise Invalid(fault.message, **{field: fault.message}) from fault


def _unit_id(session: Session, field: str, code: str) -> int:
    try:
        return units.by_code(session, code).id
    except NotFound as fault:
        raise Invalid(fault.message, **{field: fault.message}) from fault
