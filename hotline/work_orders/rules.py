"""Which limits and bounds an order follows: the city's own profiles, else the shipped ones."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, object_session

from hotline import audit
from hotline.accounts.service import Actor
from hotline.errors import Invalid
from hotline.work_orders import limits
from hotline.work_orders.models import DeadlineProfile, WorkOrder


def profile_of(session: Session, name: str) -> limits.Profile:
    """Return the profile of this name. Raises ``Invalid`` naming the shipped ones where there is none."""
    own = session.get(DeadlineProfile, name)
    if own is None or not own.rules:
        return limits.profile_named(name)
    return limits.profile_from({"name": own.name, "title": own.title, **own.rules})


def written(session: Session, name: str) -> dict[str, Any]:
    """Return the rules of a profile as they are written, a city's own or shipped; it must exist."""
    own = session.get(DeadlineProfile, name)
    return own.rules if own is not None and own.rules else limits.shipped(name)


def rules_of(order: WorkOrder) -> limits.Profile:
    """Return the profile an order of an open session follows."""
    session = object_session(order)
    assert session is not None, "the order belongs to a session"
    return profile_of(session, order.profile)


def every_profile(session: Session) -> dict[str, limits.Profile]:
    """Return all profiles an order may follow by name, out of use or not."""
    names = dict.fromkeys([*limits.profile_names(), *session.scalars(select(DeadlineProfile.name))])
    return {name: profile_of(session, name) for name in names}


def in_force(session: Session, *, on: date) -> str:
    """Return the name of the profile new orders of a day follow."""
    chosen = session.scalar(
        select(DeadlineProfile.name)
        .where(DeadlineProfile.active, DeadlineProfile.active_from <= on)
        .order_by(DeadlineProfile.active_from.desc(), DeadlineProfile.name)
        .limit(1)
    )
    return chosen or limits.DEFAULT_PROFILE


def fault_of(session: Session, *, name: str, title: str, rules: dict[str, Any]) -> tuple[str, str] | None:
    """Return field and reason why these cannot be a profile, or None.

    Rules of a profile that orders follow never change, and those of a shipped name are the shipped ones (empty here).
    """
    own = session.get(DeadlineProfile, name)
    if not rules:
        return None if name in limits.profile_names() else ("handle", "不是自带的时限方案，请写明 handle、steps、redo")
    if name in limits.profile_names():
        return "name", "与自带的时限方案重名；启用自带方案时请不要写规则"
    try:
        limits.profile_from({"name": name, "title": title, **rules})
    except Invalid as fault:
        return next((field, str(reason)) for field, reason in fault.details.items())
    if own is not None and own.rules != rules and is_followed(session, name):
        return "name", "已有工单使用这个时限方案，规则不能再改；请另起一个名称"
    return None


def is_followed(session: Session, name: str) -> bool:
    """Whether any order follows the profile."""
    return session.scalar(select(WorkOrder.id).where(WorkOrder.profile == name).limit(1)) is not None


def put_profile(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    name: str,
    title: str,
    active_from: date,
    rules: dict[str, Any],
    active: bool = True,
) -> DeadlineProfile:
    """Add or change a profile; orders that exist keep theirs, out of use or not.

    Raises ``Invalid`` with the reason of ``fault_of``.
    """
    if fault := fault_of(session, name=name, title=title, rules=rules):
        raise Invalid(fault[1], **{fault[0]: fault[1]})
    found = session.get(DeadlineProfile, name)
    before = state_of(found) if found else None
    profile = found or DeadlineProfile(name=name)
    profile.title, profile.active_from, profile.rules, profile.active = title, active_from, rules, active
    if found is None:
        session.add(profile)
    audit.changed(
        session,
        at=now,
        user_id=actor.user_id,
        subject="deadline_profile",
        subject_id=name,
        before=before,
        after=state_of(profile),
    )
    session.flush()
    return profile


def state_of(profile: DeadlineProfile) -> dict[str, Any]:
    """Return what of a profile a person can change."""
    return {
        "title": profile.title,
        "active_from": profile.active_from,
        "rules": profile.rules,
        "active": profile.active,
    }
