"""The draft form of the desk: what it shows, and what of a sent form a person typed.

A field is shown as typed once a person touched it, else as the conversation fills it. The form carries what it showed,
so that only what differs from that counts as typed; words heard meanwhile never replace it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from typing import Any, Final

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from hotline.accounts.service import Actor
from hotline.assets import queries as assets
from hotline.callers import service as callers
from hotline.calls import queries as calls
from hotline.calls.events import locked_call
from hotline.calls.models import Call
from hotline.calls.states import Track
from hotline.errors import Invalid, NotAllowedNow
from hotline.gazetteer.models import PLACE_WORDS, PlaceKind
from hotline.gazetteer.queries import Heard, named_in
from hotline.routing.model import Model, Question
from hotline.routing.queries import ModelInUse
from hotline.units import queries as units
from hotline.units.models import Category, ResponsibilityLine, Unit
from hotline.work_orders import proposal, queries, service
from hotline.work_orders.filling import ask_model, fill, which_place
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import DemandType, Status, Urgency

BLANK: Final[dict[str, Any]] = {
    "demand_type": DemandType.HELP.value,
    "category_code": "",
    "area_code": "",
    "address": "",
    "event_time": "",
    "asset_code": "",
    "urgency": Urgency.NORMAL.value,
    "sensitive_kind": "",
    "title": "",
    "content": "",
    "desired_result": "",
    "confidential": False,
    "callback_wanted": True,
    "read_back_ok": False,
}
OF_CALLER: Final = {"caller_name": "name", "caller_contact": "contact"}
SHOWN: Final = "shown"  # the field in which a form says what it showed
MATTER: Final = "matter"  # which demand of the call it is about: how many are settled already
ALREADY: Final = "这件诉求已经提交或答复，之后的修改没有保存"


@dataclass(frozen=True, slots=True)
class City:
    """What words are compared with. ``model``: the routing model in use, None without one."""

    units: Sequence[Unit]
    categories: Sequence[Category]
    lines: Sequence[ResponsibilityLine]
    model: Model | None = None


@dataclass(frozen=True, slots=True)
class PlaceChoice:
    """A place the operator may choose: ``words`` tell it from the others of its name."""

    name: str
    words: str
    area_code: str


@dataclass(frozen=True, slots=True)
class CategoryChoice:
    """A kind of matter the words may tell of, with how sure and why in words."""

    code: str
    name: str
    words: str


def _choice(heard: Heard) -> PlaceChoice:
    place = heard.place
    words = f"{proposal.place_name(place.county)} · {PLACE_WORDS[PlaceKind(place.kind)]}"
    return PlaceChoice(heard.name, words, place.area_code or place.county.area_code)


@dataclass(frozen=True, slots=True)
class DraftForm:
    """What the form shows. ``from_call``: fields the conversation filled and nobody touched."""

    order: WorkOrder | None
    matter: int
    values: dict[str, Any]
    from_call: frozenset[str]
    own: frozenset[int] = frozenset()  # the orders of this call: never taken for somebody else's
    which: tuple[PlaceChoice, ...] = ()  # places of one name in several counties, among which the operator has to ask
    kinds: tuple[CategoryChoice, ...] = ()  # what the matter may be, the likeliest first, until a person says

    @property
    def shown(self) -> str:
        """The values as the form sends them back."""
        return json.dumps(self.values, ensure_ascii=False, sort_keys=True)


def city(session: Session, *, now: datetime, tz: tzinfo, routing: ModelInUse) -> City:
    """Read units, kinds of matter, the responsibility list of today and the routing model in use."""
    lines = units.lines_in_force(session, on=now.astimezone(tz).date())
    _, model = routing.current(session) or (None, None)
    return City(units.active_units(session), units.categories(session), lines, model)


def orders_of(session: Session, call: Call) -> tuple[WorkOrder | None, list[WorkOrder]]:
    """Return the draft of a call, if one is begun, and the orders of it that are settled, the first first."""
    found = queries.of_call(session, call.id)
    drafts = [order for order in found if order.status == Status.DRAFT]
    return (drafts[-1] if drafts else None), [order for order in found if order.status != Status.DRAFT]


def said_by_caller(session: Session, call: Call) -> list[str]:
    """Return the caller's words, in order."""
    return [row.text for row in calls.utterances(session, call.id) if row.track == Track.CALLER and row.text]


def draft_form(session: Session, call: Call, here: City) -> DraftForm:
    """Return the form of a call's present demand. The second one of a call begins empty: the words are the first's."""
    order, settled = orders_of(session, call)
    told: dict[str, str] = {}
    which: tuple[PlaceChoice, ...] = ()
    said: list[str] = []
    if not settled:
        said, gazetteer = said_by_caller(session, call), partial(named_in, session)
        told = fill(
            said,
            units=here.units,
            categories=here.categories,
            lines=here.lines,
            gazetteer=gazetteer,
            model=here.model,
        )
        if (asset := assets.said_in(session, "，".join(said))) is not None:
            told |= {"asset_code": asset.code, "address": asset.address, "area_code": asset.area_code}
            told |= {"category_code": asset.category_code} if asset.category_code else {}
        else:
            which = tuple(map(_choice, which_place(said, units=here.units, gazetteer=gazetteer)))
    touched = set(order.touched) if order is not None else set()
    values = {name: getattr(order, name) if order is not None else blank for name, blank in BLANK.items()}
    filled = {name: value for name, value in told.items() if name in BLANK and name not in touched}
    known = {field: getattr(call.caller, name) or "" for field, name in OF_CALLER.items()}
    own = frozenset(one.id for one in (*settled, *([order] if order is not None else [])))
    kinds = () if settled or {"category_code", "asset_code"} & touched or "asset_code" in told else _kinds(said, here)
    return DraftForm(order, len(settled), values | filled | known, frozenset(filled), own, which, kinds)


def _kinds(said: Sequence[str], here: City) -> tuple[CategoryChoice, ...]:
    names = {one.code: one.name for one in here.categories}
    learnt = ask_model(here.model, Question.CATEGORY, said)
    return tuple(
        CategoryChoice(
            one.label,
            names[one.label],
            f"{proposal.share_words(one.confidence)} · {proposal.earlier_words(one.words)}",
        )
        for one in (learnt.candidates if learnt else ())
        if one.label in names
    )


def posted(form: MultiDict[str, str]) -> dict[str, Any]:
    """Return the draft fields of a sent form. Fields that were not sent are left out."""
    values: dict[str, Any] = {}
    for name, blank in {**BLANK, **dict.fromkeys(OF_CALLER, "")}.items():
        if name not in form:
            continue
        # a check box says nothing when it is off: a hidden field of the same name before it does
        last = form.getlist(name)[-1]
        values[name] = last == "1" if isinstance(blank, bool) else last.replace("\r\n", "\n").strip()
    return values


def typed_in(form: MultiDict[str, str]) -> dict[str, Any]:
    """Return what of a sent form differs from what it showed. A form that says nothing of that was typed by hand."""
    try:
        shown = json.loads(form.get(SHOWN) or "{}")
    except ValueError as fault:
        raise Invalid("页面数据有误，请刷新后再试") from fault
    if not isinstance(shown, dict):
        raise Invalid("页面数据有误，请刷新后再试")
    return {name: value for name, value in posted(form).items() if name not in shown or value != shown[name]}


def save(
    session: Session, *, call: Call, form: MultiDict[str, str], here: City, actor: Actor, now: datetime, tz: tzinfo
) -> WorkOrder:
    """Write a sent form into the call's draft, beginning one where there is none, and return it.

    What was typed counts as touched; what was only shown is saved as the conversation's. Raises ``Invalid`` naming
    wrong fields, ``NotAllowedNow`` for a form whose demand was settled meanwhile.
    """
    locked_call(session, call.id)  # two forms sent at once begin one draft
    typed = typed_in(form)
    before = draft_form(session, call, here)
    if form.get(MATTER, str(before.matter)) != str(before.matter):
        raise NotAllowedNow(ALREADY)
    order = before.order or service.start_draft(
        session,
        call=call,
        caller=call.caller,
        actor=actor,
        now=now,
        tz=tz,
        assisted=bool(calls.utterances(session, call.id)),
    )
    seen = {name: before.values[name] for name in before.from_call} | posted(form)
    service.save_draft(session, order=order, fields=_draft(seen, typed), typed=False, actor=actor, now=now)
    if mine := _draft(typed, {}):
        service.save_draft(session, order=order, fields=mine, typed=True, actor=actor, now=now)
    told = {name: typed[field] for field, name in OF_CALLER.items() if field in typed}
    if told:
        callers.set_details(session, caller=call.caller, **told)
    return order


def _draft(values: Mapping[str, Any], without: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in BLANK and name not in without}


def proposed(session: Session, values: Mapping[str, Any], here: City) -> list[proposal.Candidate]:
    """Return which units an order with these values would go to, the likeliest first."""
    return proposal.propose(
        text=f"{values['title']} {values['content']}",
        address=values["address"],
        area_code=values["area_code"],
        category_code=values["category_code"],
        lines=here.lines,
        units=here.units,
        asset=assets.find(session, values["asset_code"]),
        learnt=here.model.propose(Question.UNIT, title=values["title"], text=values["content"]) if here.model else None,
    )
