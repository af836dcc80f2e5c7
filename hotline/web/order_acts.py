"""What programs may do to an order: one table for every door, which the API's description is made from too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.units import queries as units
from hotline.web import order_endings
from hotline.web.context import runtime
from hotline.web.json_body import Take, flag, lines, moment, number, numbers, read_object, take, text, texts
from hotline.web.order_pages import by_clock
from hotline.work_orders import queries, service, states
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Action
from hotline.work_orders.transitions import NOTES, TRANSITIONS
from hotline.work_orders.words import ACTION_WORDS

Fields = Mapping[str, Take]


@dataclass(frozen=True, slots=True)
class Act:
    """One action of the API: its verb, the fields it takes, and whether it reckons with calendar and zone.

    ``choices``: the codes a field may hold, where they are this action's own.
    """

    verb: Callable[..., object]
    fields: Mapping[str, Take]
    required: frozenset[str] = frozenset()
    clock: bool = True
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)


def _act(
    verb: Callable[..., object],
    must: Fields = MappingProxyType({}),
    may: Fields = MappingProxyType({}),
    *,
    clock: bool = True,
    **choices: type[StrEnum],
) -> Act:
    codes = {name: [code.value for code in kind] for name, kind in choices.items()}
    return Act(verb, {**must, **may}, frozenset(must), clock, codes)


REASON: Final[Fields] = {"reason": text}
ANSWER: Final[Fields] = {"answer": text}
UPHELD: Final[Fields] = {"upheld": flag, "answer": text}

ACTS: Final[dict[str, Act]] = {
    # before units have it
    "ask_info": _act(service.ask_info, {"missing": texts}, {"text": text}, missing=states.Missing),
    "tell": _act(service.tell),
    "refuse": _act(service.refuse, {"ground": text}, {"channel": text}, clock=False, ground=states.RefuseGround),
    "release": _act(service.release, {"content": text}, clock=False),
    "call_back": _act(
        service.settle,
        {"spoke_to": text, "result": text, "public_reply": text},
        {"solved": text, "unsolved_reason": text},
    ),
    "dispatch": _act(
        service.dispatch,
        {"lead_unit": text},
        {"assisting": texts, "responsibility_line": text, "advice": text, "hard": flag},
    ),
    # with units
    "sign": _act(service.sign, clock=False),
    "hand_down": _act(service.hand_down, {"unit": text}, {"due_at": moment, "advice": text}),
    "recall": _act(service.recall, REASON),
    "progress": _act(service.progress, {"text": text}, {"waits_for_unit": text}),
    "report": _act(
        service.report,
        {"contacted": flag, "solved": text, "public_reply": text},
        {"contacted_at": moment, "contact_way": text, "unsolved_reason": text, "process": text},
    ),
    "approve": _act(service.approve, may={"note": text}),
    "reject": _act(service.reject, REASON, clock=False),
    "list_households": _act(service.list_households, {"households": lines}, clock=False),
    "settle_households": _act(service.settle_households, may={"numbers": numbers, "text": text}, clock=False),
    # asked and decided
    "return": _act(
        service.ask_return,
        {"ground": text, "responsibility_line": text, "reason": text},
        {"suggested_unit": text},
        ground=states.ReturnGround,
    ),
    "accept_return": _act(
        service.accept_return,
        may={
            "lead_unit": text,
            "assisting": texts,
            "responsibility_line": text,
            "advice": text,
            "hard": flag,
            "correction": text,
            "request_id": number,
        },
    ),
    "refuse_return": _act(service.refuse_return, REASON, {"request_id": number}),
    "to_panel": _act(service.to_panel, REASON),
    "designate": _act(service.designate, {"lead_unit": text, "reason": text}, {"assisting": texts}),
    "join": _act(service.join, {"units": texts, "reason": text}),
    "ask_extension": _act(
        service.ask_extension, {"ground": text, "plan": text, "until": moment}, ground=states.ExtensionGround
    ),
    "grant_extension": _act(service.grant_extension, may=ANSWER),
    "refuse_extension": _act(service.refuse_extension, REASON, clock=False),
    "ask_suspension": _act(
        service.ask_suspension,
        {"ground": text, "waits_for": text, "review_at": moment},
        ground=states.SuspensionGround,
    ),
    "suspend": _act(service.suspend, may=ANSWER),
    "refuse_suspension": _act(service.refuse_suspension, REASON, clock=False),
    "resume": _act(service.resume, may=REASON),
    "claim": _act(service.claim, {"ground": text, "evidence": text}, clock=False, ground=states.ClaimGround),
    "decide_claim": _act(service.decide_claim, UPHELD, clock=False),
    "appeal": _act(service.appeal, REASON, clock=False),
    "decide_appeal": _act(service.decide_appeal, UPHELD, clock=False),
    # what the citizen says of it, and after
    "close": _act(
        order_endings.close,
        may={
            "note": text,
            "reason": text,
            "satisfaction": text,
            "solved": text,
            "contacted": flag,
            "reasons": texts,
        },
        satisfaction=states.Satisfaction,
    ),
    "redo": _act(order_endings.redo, {"solved": text, "contacted": flag, "reasons": texts}),
    "explain": _act(
        order_endings.explain, {"ground": text, "explained": text, "reasons": texts}, ground=states.ExplainGround
    ),
    "refuse_explanation": _act(service.refuse_explanation, ANSWER),
    "review": _act(service.review, {"fact": text}),
    "take_up": _act(service.reopen, REASON),
    "archive": _act(service.archive, clock=False),
    # beside the main line
    "supplement": _act(service.supplement, {"text": text}),
    "urge": _act(service.urge, may={"text": text}, clock=False),
    "withdraw": _act(service.withdraw, {"reason": text, "read_back_ok": flag}, clock=False),
    "merge": _act(service.merge, {"into": text}, clock=False),
    "unmerge": _act(service.unmerge, clock=False),
    "supervise": _act(
        service.supervise,
        {"level": text, "words": text},
        {"kind": text, "unit": text, "reply_due": moment},
        clock=False,
        level=states.Supervision,
        kind=states.NoticeKind,
    ),
    "reply_notice": _act(service.reply_notice, {"text": text}, {"notice_id": number}, clock=False),
    "leader_note": _act(service.note_leader, {"leader": text, "text": text}, clock=False),
}
CLERKS: Final = frozenset({Role.U2, Role.U3})


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
    return [action.value for action, _ in queries.allowed_actions(order, actor, runtime().now()) if action in ACTS]


def _do(session: Session, order: WorkOrder, action: str, fields: dict[str, Any], actor: Actor) -> None:
    wanted = ACTS.get(action)
    if wanted is None:
        may = "、".join(ACTION_WORDS[Action(action)] for action in allowed(order, actor))
        raise NotAllowedNow(f"没有这个动作；现在可以：{may or '无'}")
    values = take(fields, wanted.fields, required=wanted.required)
    for name in RESOLVED.keys() & values.keys():
        argument, found = RESOLVED[name]
        values[argument] = found(session, actor, name, values.pop(name))
    extra = by_clock() if wanted.clock else {}
    wanted.verb(session, order=order, actor=actor, now=runtime().now(), **extra, **values)


def _order(session: Session, actor: Actor, field: str, number: str) -> WorkOrder:
    with _told_by(field):
        return queries.visible_to(session, actor, number)


def _unit(session: Session, _actor: Actor, field: str, code: str) -> int:
    with _told_by(field):
        return units.by_code(session, code).id


def _units(session: Session, actor: Actor, field: str, codes: list[str]) -> list[int]:
    return [_unit(session, actor, field, code) for code in codes]


def _line(session: Session, _actor: Actor, field: str, code: str) -> int:
    with _told_by(field):
        for line in units.lines_in_force(session, on=runtime().today()):
            if line.code == code:
                return line.id
        raise NotFound(f"现行责任清单里没有 {code}")


def _rows(
    _session: Session, _actor: Actor, _field: str, told: list[dict[str, str]]
) -> list[tuple[int, dict[str, str]]]:
    return list(enumerate(told, start=1))


@contextmanager
def _told_by(field: str) -> Iterator[None]:
    """Name the field that points at nothing."""
    try:
        yield
    except NotFound as fault:
        raise Invalid(fault.message, **{field: fault.message}) from fault


# programs name things by code or number, verbs take ids and rows
RESOLVED: Final[dict[str, tuple[str, Callable[[Session, Actor, str, Any], object]]]] = {
    "lead_unit": ("lead_unit_id", _unit),
    "unit": ("unit_id", _unit),
    "suggested_unit": ("suggested_unit_id", _unit),
    "waits_for_unit": ("waits_for_unit_id", _unit),
    "assisting": ("assisting_ids", _units),
    "units": ("unit_ids", _units),
    "responsibility_line": ("responsibility_line_id", _line),
    "into": ("into", _order),
    "households": ("rows", _rows),
}
