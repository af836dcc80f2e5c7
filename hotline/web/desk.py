"""What the operator's desk shows, read in one go; no route and no rule here."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session, object_session

from hotline.accounts.models import User
from hotline.accounts.service import Actor
from hotline.calls import queries as calls
from hotline.calls.events import leg_on
from hotline.calls.models import Call, CallLeg, Presence
from hotline.calls.states import CallState, LegState, PresenceState, Track
from hotline.db import key_ring
from hotline.errors import NotFound
from hotline.knowledge_base.models import Entry, Suggestion
from hotline.knowledge_base.published import areas_around, holds_around
from hotline.knowledge_base.queries import suggestions_of_call
from hotline.knowledge_base.states import SuggestionState
from hotline.reports import queries as reports
from hotline.speech.models import ModelFault, check_model
from hotline.units.models import Category, Unit
from hotline.units.queries import areas_named
from hotline.web.draft_form import City, said_by_caller
from hotline.work_orders import queries as orders
from hotline.work_orders.filling import places_in
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.proposal import AREA_DIGITS, place_name
from hotline.work_orders.states import Status

SOUND_DUE_AFTER: Final = timedelta(seconds=10)
EARLIER_SHOWN: Final = 50


# ---- whose call it is


def own_call(session: Session, actor: Actor, call_id: int) -> Call:
    """Return a call the actor took, or has a draft of; else ``NotFound``."""
    call = calls.visible_to(session, actor, call_id)
    if call.operator_id == actor.user_id:
        return call
    # their line fell and another took the call over: what was begun can still be finished
    if any(order.operator_id == actor.user_id for order in orders.of_call(session, call_id)):
        return call
    raise NotFound("没有这通电话")


def asked(session: Session, actor: Actor, call_id: int) -> Call:
    """Return a call that is, or once was, offered to the actor; else ``NotFound``."""
    call = calls.visible_to(session, actor, call_id)
    if all(event.user_id != actor.user_id for event in calls.events(session, call_id)):
        raise NotFound("没有这通电话")
    return call


# ---- the bar


@dataclass(frozen=True, slots=True)
class Bar:
    """One's own state and the line's figures."""

    presence: Presence | None
    waiting: int
    longest_since: datetime
    taken: int
    k1: float | None
    seat: str


def bar(session: Session, actor: Actor, *, since: datetime, now: datetime, k1: float | None) -> Bar:
    """Return what the bar shows; ``since``: today's midnight."""
    assert actor.user_id is not None
    queue = calls.queue_now(session, now=now)
    return Bar(
        presence=calls.presence_of(session, actor.user_id),
        waiting=queue.waiting,
        longest_since=now - timedelta(seconds=queue.longest_s),
        taken=reports.calls_taken_by(session, actor.user_id, since, now),
        k1=k1,
        seat=session.get_one(User, actor.user_id).seat,
    )


# ---- who calls


@dataclass(frozen=True, slots=True)
class CallerCard:
    """Who calls, with what the hub knows of this number."""

    call: Call
    earlier: list[Call]
    area: str
    open_orders: list[WorkOrder]
    settled: list[WorkOrder]
    said_waiting: str

    @property
    def times(self) -> int:
        """Which call of this number it is."""
        return len(self.earlier) + 1

    @property
    def last(self) -> WorkOrder | None:
        """What was settled last."""
        return self.settled[0] if self.settled else None


def caller_card(session: Session, call: Call, here: City) -> CallerCard:
    """Return who calls: earlier calls, open orders, where from, what was said while waiting."""
    phone = call.caller.phone
    keys = key_ring().indexes(phone) if phone else []
    own = {order.id for order in orders.of_call(session, call.id)}
    found = [order for order in orders.open_orders_of(session, keys) if order.id not in own] if keys else []
    settled = [order for order in orders.earlier_of(session, keys) if order.id not in own] if keys else []
    said = said_by_caller(session, call)
    places = places_in("，".join(said), here.units)
    told = [place_name(places[0].unit)] if places else []
    known = [name for order in (*found, *settled) if (name := county(order.area_code, here))]
    return CallerCard(
        call=call,
        earlier=calls.earlier_calls(session, call, limit=EARLIER_SHOWN),
        area=next(iter(told + known), ""),
        open_orders=[order for order in found if order.status != Status.DRAFT],
        settled=settled,
        said_waiting="，".join(said),
    )


def county(area_code: str, here: City) -> str:
    """Return the name of the county an area code lies in; empty when there is none."""
    wanted = area_code[:AREA_DIGITS]
    found = (unit for unit in here.units if unit.tier == 2 and wanted and unit.area_code[:AREA_DIGITS] == wanted)
    return next((place_name(unit) for unit in found), "")


# ---- the conversation


@dataclass(frozen=True, slots=True)
class Talk:
    """How the call stands for its operator. ``phase``: offered connecting talking wrap_up over."""

    phase: str
    since: datetime
    fault: str  # why no words appear, in words; empty: they do, or nobody could know yet
    caller_left: bool


def talk(session: Session, call: Call, actor: Actor, *, model: Path | None, now: datetime) -> Talk:
    """Return how the call stands."""
    presence = calls.presence_of(session, actor.user_id or 0)
    mine = presence is not None and presence.call_id == call.id
    line = leg_on(session, call.id, Track.OPERATOR)
    left = call.state == CallState.ENDED and call.closing_at is None  # nobody here has ended it
    if mine and presence is not None and presence.state == PresenceState.WRAP_UP:
        return Talk("wrap_up", presence.since, "", left)
    if mine and presence is not None and presence.state == PresenceState.OFFERED:
        return Talk("offered", presence.since, _unheard(session, call, model, now), left)
    if call.state != CallState.TALKING or call.operator_id != actor.user_id or call.closing_at is not None:
        return Talk("over", call.ended_at or call.closing_at or call.started_at, "", left)
    if line is None or line.answered_at is None:
        return Talk("connecting", line.started_at if line else now, "", left)
    return Talk("talking", line.answered_at, _unheard(session, call, model, now), left)


def _unheard(session: Session, call: Call, model: Path | None, now: datetime) -> str:
    """Why words of this call do not appear; empty when they do or when it is too early to say."""
    caller, operator = (leg_on(session, call.id, track) for track in (Track.CALLER, Track.OPERATOR))
    for leg, whose in ((caller, "市民"), (operator, "座席")):
        if fault := _silent(leg, now):
            return f"{whose}{fault}"
    if calls.utterances(session, call.id):
        return ""
    return "" if has_model(model) else "没有可用的识别模型"


def _silent(leg: CallLeg | None, now: datetime) -> str:
    if leg is None or leg.state != LegState.LIVE:
        return ""
    if leg.stream_ended_at is not None:
        return "一侧的声音中断"
    late = leg.answered_at is not None and now - leg.answered_at > SOUND_DUE_AFTER
    return "一侧没有声音传来" if leg.stream_started_at is None and late else ""


@functools.cache
def has_model(path: Path | None) -> bool:
    """Whether the model the settings name can be used; looked at once a process."""
    try:
        check_model(path)
    except ModelFault:
        return False
    return True


# ---- answers


def answers(session: Session, call: Call) -> list[Suggestion]:
    """Return the answers on the screen: what is suggested now, best first, then what was used before.

    Where the matter is becomes known while people talk; from then on what does not hold there is gone.
    """
    now = calls.suggestions_now(session, call)
    limits = {row.id: [one.area_code for one in row.entry.areas] for row in now}
    if any(limits.values()) and (area := orders.area_of_call(session, call.id)):
        around = areas_around(area)
        now = [row for row in now if holds_around(limits[row.id], around)]
    shown = {row.id for row in now}
    used = [row for row in suggestions_of_call(session, call.id) if row.state == SuggestionState.USED]
    return now + [row for row in used if row.id not in shown]


def only_in(entry: Entry) -> list[str]:
    """Return the names of the areas an entry on the screen is limited to; none when it holds everywhere."""
    session = object_session(entry)
    codes = [one.area_code for one in entry.areas]
    if session is None or not codes:
        return codes
    names = areas_named(session, codes)
    return [names.get(code, code) for code in codes]


# ---- choices of the form


def category_choices(categories: Sequence[Category]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return kinds of matter in their groups: (group, [(code, name)]). A kind without a group stands under its own."""
    parents = {row.parent_code for row in categories if row.parent_code}
    names = {row.code: row.name for row in categories}
    groups: dict[str, list[tuple[str, str]]] = {}
    for row in categories:
        if row.code not in parents:
            groups.setdefault(names.get(row.parent_code, "其他"), []).append((row.code, row.name))
    return list(groups.items())


def area_choices(units: Sequence[Unit]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return counties with their townships: (county, [(area code, name)]), the whole county first."""
    groups = []
    for unit in units:
        if unit.tier == 2 and unit.area_code:
            name = place_name(unit)
            below = [
                (one.area_code, place_name(one).removeprefix(name))
                for one in units
                if one.parent_id == unit.id and one.area_code
            ]
            groups.append((name, [(unit.area_code, name), *below]))
    return groups
