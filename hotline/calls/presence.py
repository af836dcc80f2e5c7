"""What operators are doing: verbs of one operator at one desk. Every change goes by the table and leaves its event."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calls.events import locked_presence, move_presence
from hotline.calls.models import Presence
from hotline.calls.states import PresenceState
from hotline.errors import Invalid, NotAllowedNow

DESK_LOST_AFTER: Final = timedelta(seconds=90)  # a desk not heard of for so long is closed, asleep or offline
LOST: Final = "话务台失去联系"
REASON_AT_MOST: Final = 40


def claim_desk(
    session: Session,
    *,
    actor: Actor,
    desk: str,
    now: datetime,
    take_over: bool = False,
    skills: list[str] | None = None,
) -> Presence:
    """Let one browser tab (``desk``: its own random token) work as this operator's desk; returns what they are doing.

    Raises ``NotAllowedNow`` while another tab holds the desk and was heard of lately (``details['since']``: since
    when), unless ``take_over``. ``skills`` replaces the operator's skills when given.
    """
    if not desk or len(desk) > 32:
        raise Invalid("话务台标识有误", desk="1 到 32 个字符")
    presence = _presence(session, actor, now)
    if presence.desk not in {"", desk} and not take_over:
        held = presence.state != PresenceState.OFFLINE and presence.seen_at >= now - DESK_LOST_AFTER
        if held:
            raise NotAllowedNow("您已在另一个窗口打开话务台，可以在这里接管", since=presence.desk_since, held=True)
    if presence.desk != desk:
        presence.desk = desk
        presence.desk_since = now
    presence.seen_at = now
    if skills is not None:
        presence.skills = skills
    session.flush()
    return presence


def _presence(session: Session, actor: Actor, now: datetime) -> Presence:
    assert actor.user_id is not None  # the system has no desk
    presence = locked_presence(session, actor.user_id)
    if presence is not None:
        return presence
    try:
        with session.begin_nested():
            presence = Presence(user_id=actor.user_id, state=PresenceState.OFFLINE, since=now, seen_at=now, skills=[])
            session.add(presence)
            session.flush()
    except IntegrityError:  # the same operator's other browser was quicker
        presence = locked_presence(session, actor.user_id)
        assert presence is not None
    return presence


def _at_desk(session: Session, actor: Actor, desk: str | None, now: datetime) -> Presence:
    """Return the presence if this tab holds the desk (None: a program without tabs), or raise ``NotAllowedNow``."""
    presence = _presence(session, actor, now)
    if desk is not None and presence.desk not in {"", desk}:
        raise NotAllowedNow("话务台已由另一个窗口接管", since=presence.desk_since, held=True)
    if desk is not None and not presence.desk:
        presence.desk, presence.desk_since = desk, now
    presence.seen_at = now
    return presence


def seen(session: Session, *, actor: Actor, desk: str | None, now: datetime) -> Presence:
    """Take the desk's heartbeat, every 30 s or oftener. Raises ``NotAllowedNow`` once another tab has the desk."""
    presence = _at_desk(session, actor, desk, now)
    session.flush()
    return presence


def go_ready(session: Session, *, actor: Actor, desk: str | None, now: datetime) -> Presence:
    """Wait for calls from now on. Ready already: nothing changes. Raises ``NotAllowedNow`` by the table."""
    return _go(session, actor, desk, PresenceState.READY, now)


def finish_wrap_up(session: Session, *, actor: Actor, desk: str | None, now: datetime) -> Presence:
    """End the time after a call and be ready. Raises ``NotAllowedNow`` outside wrap-up."""
    presence = _at_desk(session, actor, desk, now)
    if presence.state != PresenceState.WRAP_UP:
        raise NotAllowedNow("您不在话后整理中", state=presence.state)
    return _go(session, actor, desk, PresenceState.READY, now)


def go_away(session: Session, *, actor: Actor, desk: str | None, reason: str, now: datetime) -> Presence:
    """Take no calls for a while. Raises ``Invalid`` without a reason, ``NotAllowedNow`` by the table."""
    words = reason.strip()
    if not words or len(words) > REASON_AT_MOST:
        raise Invalid("请选择示忙原因", reason=f"1 到 {REASON_AT_MOST} 个字")
    return _go(session, actor, desk, PresenceState.AWAY, now, reason=words)


def go_offline(session: Session, *, actor: Actor, desk: str | None, now: datetime) -> Presence:
    """Leave the desk. Raises ``NotAllowedNow`` while a call is offered or talked in."""
    presence = _go(session, actor, desk, PresenceState.OFFLINE, now)
    presence.desk, presence.desk_since = "", None
    session.flush()
    return presence


def _go(
    session: Session, actor: Actor, desk: str | None, to: PresenceState, now: datetime, *, reason: str = ""
) -> Presence:
    presence = _at_desk(session, actor, desk, now)
    if presence.state == PresenceState.OFFERED:
        raise NotAllowedNow("有来电正在等您接听，请先接听或拒接", state=presence.state)
    if presence.state != to:
        move_presence(session, presence, to, now=now, reason=reason)
    session.flush()
    return presence


def lose_silent_desks(session: Session, *, now: datetime) -> list[int]:
    """Send operators away whose ready desk was not heard of for 90 s, so that no caller is offered to nobody."""
    rows = session.scalars(
        select(Presence)
        .where(Presence.state == PresenceState.READY, Presence.seen_at < now - DESK_LOST_AFTER)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for presence in rows:
        move_presence(session, presence, PresenceState.AWAY, now=now, reason=LOST)
    session.flush()
    return [presence.user_id for presence in rows]
