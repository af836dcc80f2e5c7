"""Where a thing a city set up is still in use, and the verbs that take it out of use or delete it.

What is in use cannot be taken away: whoever tries is told where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts import service as accounts
from hotline.accounts.models import User
from hotline.accounts.queries import PROGRAM
from hotline.accounts.service import Actor
from hotline.assets.models import Asset
from hotline.calls.models import Call, DialledNumber, Presence
from hotline.calls.states import CallState, PresenceState
from hotline.errors import NotAllowedNow
from hotline.gazetteer.models import Place
from hotline.imports.parts import Fault, Values
from hotline.knowledge_base.models import Entry
from hotline.knowledge_base.states import EntryState
from hotline.units.models import Category, ResponsibilityLine, Unit
from hotline.work_orders.models import DeadlineProfile, SubOrder, WorkOrder
from hotline.work_orders.states import OPEN, SubState

EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Use:
    """One sort of place where a thing is used: how often, and the first few by name."""

    where: str
    count: int
    examples: tuple[str, ...]


def described(uses: Sequence[Use]) -> str:
    """Return the uses as one sentence; empty for none."""
    return "；".join(
        f"{use.where} {use.count} 处（{'、'.join(use.examples)}{'等' if use.count > len(use.examples) else ''}）"
        for use in uses
    )


def uses_of_unit(session: Session, unit: Unit, *, on: date | None = None) -> list[Use]:
    """Return where a unit is at work: units below, people, open orders, the list, knowledge it answers for, places.

    Of the list, lines in use of versions in force on a day or later count; of every version where no day is given.
    """
    working = select(WorkOrder.order_no).join(SubOrder).where(SubOrder.unit_id == unit.id)
    return _found(
        session,
        ("下级单位", select(Unit.name).where(Unit.parent_id == unit.id, Unit.active).order_by(Unit.code)),
        ("人员", _people_of(unit)),
        (
            "在办工单",
            working.where(SubOrder.state.not_in((SubState.LEFT, SubState.CLOSED)), WorkOrder.status.in_(OPEN))
            .distinct()
            .order_by(WorkOrder.order_no),
        ),
        ("责任清单", _line_names(on).where(ResponsibilityLine.lead_unit_id == unit.id)),
        ("知识条目", select(Entry.code).where(Entry.owner_unit_id == unit.id, Entry.state == EntryState.PUBLISHED)),
        (
            "城市部件",
            select(Asset.code)
            .where(or_(Asset.unit_id == unit.id, Asset.below_id == unit.id), Asset.active)
            .order_by(Asset.code),
        ),
        ("地名", select(Place.name).where(Place.county_id == unit.id, Place.active).order_by(Place.name)),
    )


def _people_of(unit: Unit) -> Select[str]:
    """Those who log in: a program is not put elsewhere, its key is revoked."""
    people = select(User.display_name).where(User.unit_id == unit.id, User.active)
    return people.where(~User.username.startswith(PROGRAM, autoescape=True)).order_by(User.username)


def uses_of_user(session: Session, user: User) -> list[Use]:
    """Return what a user is in the middle of: the desk, a call."""
    return _found(
        session,
        (
            "在线座席",
            select(Presence.state).where(Presence.user_id == user.id, Presence.state != PresenceState.OFFLINE),
        ),
        ("进行中的通话", select(Call.provider_id).where(Call.operator_id == user.id, Call.state != CallState.ENDED)),
    )


def uses_of_category(session: Session, category: Category, *, on: date | None = None) -> list[Use]:
    """Return where a kind of matter is used: kinds below, the list (as for ``uses_of_unit``), open orders."""
    return _found(
        session,
        ("下级分类", select(Category.name).where(Category.parent_code == category.code, Category.active)),
        ("责任清单", _line_names(on).where(ResponsibilityLine.category_code == category.code)),
        (
            "在办工单",
            select(WorkOrder.order_no).where(WorkOrder.category_code == category.code, WorkOrder.status.in_(OPEN)),
        ),
    )


def uses_of_line(session: Session, line: ResponsibilityLine) -> list[Use]:
    """Return the open orders that went out by a line of the responsibility list."""
    orders = select(WorkOrder.order_no).where(WorkOrder.responsibility_line_id == line.id, WorkOrder.status.in_(OPEN))
    return _found(session, ("在办工单", orders.order_by(WorkOrder.order_no)))


def uses_of_profile(session: Session, profile: DeadlineProfile) -> list[Use]:
    """Return the open orders whose limits a profile sets."""
    orders = select(WorkOrder.order_no).where(WorkOrder.profile == profile.name, WorkOrder.status.in_(OPEN))
    return _found(session, ("在办工单", orders.order_by(WorkOrder.order_no)))


def uses_of_number(session: Session, line: DialledNumber) -> list[Use]:
    """Return the calls that are going on over a dialled number."""
    calls = select(Call.provider_id).where(Call.number_id == line.id, Call.state != CallState.ENDED)
    return _found(session, ("进行中的通话", calls))


def retire_unit(session: Session, *, actor: Actor, now: datetime, unit: Unit) -> None:
    """Close a unit for new orders. Raises ``NotAllowedNow`` telling where it is in use (``details['uses']``)."""
    _refuse_if_used(f"{unit.name}仍在使用，不能停用", uses_of_unit(session, unit, on=now.date()))
    _retire(session, actor, now, unit, "unit", unit.code)


def retire_user(session: Session, *, actor: Actor, now: datetime, user: User) -> None:
    """Let a user log in no more; every log-in ends. Raises ``NotAllowedNow`` while they are at work."""
    _refuse_if_used(f"{user.display_name}正在工作，不能停用", uses_of_user(session, user))
    accounts.put_user(
        session,
        actor=actor,
        now=now,
        username=user.username,
        display_name=user.display_name,
        role=user.role,
        unit_id=user.unit_id,
        seat=user.seat,
        active=False,
    )


def retire_category(session: Session, *, actor: Actor, now: datetime, category: Category) -> None:
    """Offer a kind of matter no more. Raises ``NotAllowedNow`` telling where it is in use."""
    _refuse_if_used(f"{category.name}仍在使用，不能停用", uses_of_category(session, category, on=now.date()))
    _retire(session, actor, now, category, "category", category.code)


def retire_line(session: Session, *, actor: Actor, now: datetime, line: ResponsibilityLine) -> None:
    """Send nothing by a line any more. Raises ``NotAllowedNow`` telling which open orders went out by it."""
    _refuse_if_used(f"{line.matter}仍在使用，不能停用", uses_of_line(session, line))
    _retire(session, actor, now, line, "responsibility_line", f"{line.version}/{line.code}")


def retire_profile(session: Session, *, actor: Actor, now: datetime, profile: DeadlineProfile) -> None:
    """Choose a profile for new orders no more. Raises ``NotAllowedNow`` telling which open orders follow it."""
    _refuse_if_used(f"{profile.title}仍在使用，不能停用", uses_of_profile(session, profile))
    _retire(session, actor, now, profile, "deadline_profile", profile.name)


def retire_number(session: Session, *, actor: Actor, now: datetime, line: DialledNumber) -> None:
    """Serve a number like one nobody set up. Raises ``NotAllowedNow`` while somebody speaks over it."""
    _refuse_if_used(f"{line.number} 上有通话，不能停用", uses_of_number(session, line))
    _retire(session, actor, now, line, "dialled_number", line.number)


def retire_place(session: Session, *, actor: Actor, now: datetime, place: Place) -> None:
    """Look for a place in what callers say no more; orders keep the words of theirs, so nothing stands against it."""
    _retire(session, actor, now, place, "place", f"{place.county.code}/{place.kind}/{place.name}")


def retire_asset(session: Session, *, actor: Actor, now: datetime, asset: Asset) -> None:
    """Find it no more by its number; orders about it keep it, so nothing stands against it."""
    _retire(session, actor, now, asset, "asset", asset.code)


def retiring_fault(values: Values, before: Values | None, uses: Callable[[], str]) -> Iterator[Fault]:
    """Yield the fault of a row that would take away what is in use."""
    if before is not None and before["active"] and not values["active"] and (told := uses()):
        yield Fault("active", f"仍在使用，不能停用：{told}")


def _line_names(on: date | None) -> Select[Any]:
    names = (
        select(ResponsibilityLine.version + "/" + ResponsibilityLine.code)
        .where(ResponsibilityLine.active)
        .order_by(ResponsibilityLine.version.desc(), ResponsibilityLine.code)
    )
    if on is None:
        return names
    begun = select(func.max(ResponsibilityLine.valid_from)).where(ResponsibilityLine.valid_from <= on)
    return names.where(ResponsibilityLine.valid_from >= func.coalesce(begun.scalar_subquery(), on))


def _found(session: Session, *looks: tuple[str, Select[Any]]) -> list[Use]:
    uses = []
    for where, look in looks:
        count = session.scalar(select(func.count()).select_from(look.order_by(None).subquery())) or 0
        if count:
            uses.append(Use(where, count, tuple(str(name) for name in session.scalars(look.limit(EXAMPLES)))))
    return uses


def _refuse_if_used(sentence: str, uses: list[Use]) -> None:
    if uses:
        raise NotAllowedNow(f"{sentence}：{described(uses)}", uses=uses)


def _retire(  # noqa: PLR0917 - who, when, what
    session: Session, actor: Actor, now: datetime, thing: Any, subject: str, subject_id: str
) -> None:
    before = {"active": thing.active}
    thing.active = False
    audit.changed(
        session,
        at=now,
        user_id=actor.user_id,
        subject=subject,
        subject_id=subject_id,
        before=before,
        after={"active": False},
        act="retire",
    )
    session.flush()
