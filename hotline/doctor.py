"""What an installation needs, looked at one thing after another: shared by ``hotline doctor`` and ``hotline setup``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import redis
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from hotline.accounts.models import User
from hotline.accounts.roles import Role
from hotline.bootstrap import Runtime
from hotline.calls.models import Call, DialledNumber
from hotline.db import session_scope
from hotline.migrations import run as migrations
from hotline.speech.models import ModelFault, check_model
from hotline.telephony.base import CarrierRefused, CarrierUnreachable
from hotline.units.models import HUB_TIER, Unit

PATIENCE_S: Final = timedelta(seconds=2).total_seconds()


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, whether it is as it should be, what was seen, and how to mend it. ``needed`` False: calls
    go on without it."""

    name: str
    good: bool
    seen: str
    mend: str = ""
    needed: bool = True


Look = Callable[[Runtime], Finding]


def database(runtime: Runtime) -> Finding:
    """The database answers and has the newest tables."""
    name = "database"
    try:
        with runtime.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        current, newest = migrations.current(runtime.settings.database_url), migrations.head()
    except SQLAlchemyError as fault:
        told = str(fault).splitlines()[0]
        return Finding(name, False, told, "start it, and look at HOTLINE_DATABASE_URL")
    return Finding(name, current == newest, f"at {current or 'no tables'}, newest {newest}", "run: hotline db upgrade")


def administrator(runtime: Runtime) -> Finding:
    """Somebody can log in and set things up."""
    with session_scope(runtime.sessions) as session:
        found = session.scalar(select(User.username).where(User.role == Role.ADM, User.active).limit(1))
    seen = f"{found} is one" if found else "there is none"
    return Finding("administrator", found is not None, seen, "run: hotline user create NAME --role ADM")


def city(runtime: Runtime) -> Finding:
    """The hub, units under it, and an operator with a seat."""
    with session_scope(runtime.sessions) as session:
        hub = session.scalar(select(Unit.name).where(Unit.tier == HUB_TIER, Unit.active).limit(1))
        unit = session.scalar(select(Unit.id).where(Unit.tier > HUB_TIER, Unit.active).limit(1))
        seat = session.scalar(select(User.id).where(User.role == Role.OPR, User.seat != "", User.active).limit(1))
    lacking = [
        what
        for there, what in ((hub, "the hub"), (unit, "a unit under it"), (seat, "an operator with a seat"))
        if not there
    ]
    seen = f"lacks {', '.join(lacking)}" if lacking else f"{hub} is there"
    mend = "run: hotline import units FILE, then hotline import users FILE (hotline import units --example shows how)"
    return Finding("city", not lacking, seen, mend)


def numbers(runtime: Runtime) -> Finding:
    """Every number of the settings has its greeting."""
    with session_scope(runtime.sessions) as session:
        there = set(session.scalars(select(DialledNumber.number).where(DialledNumber.active)))
    bare = [number for number in runtime.settings.numbers if number not in there]
    seen = f"{', '.join(bare)} not set up" if bare else ", ".join(runtime.settings.numbers)
    return Finding("dialled numbers", not bare, seen, "run: hotline import numbers FILE")


def pushes(runtime: Runtime) -> Finding:
    """Redis answers."""
    name, url = "redis", runtime.settings.redis_url
    if not url:
        return Finding(name, False, "HOTLINE_REDIS_URL is not set: pushes and live screens need it", "set it")
    try:
        redis.Redis.from_url(url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S).ping()
    except redis.RedisError as fault:
        return Finding(name, False, str(fault), "start it, and look at HOTLINE_REDIS_URL")
    return Finding(name, True, "answers")


def carrier(runtime: Runtime) -> Finding:
    """The carrier answers and takes our token; nothing is dialled or sent."""
    name = "carrier"
    try:
        runtime.telephony.find_message(to="+8619900000000", body="hotline setup")
    except (CarrierUnreachable, CarrierRefused) as fault:
        told = str(fault) or type(fault).__name__
        return Finding(name, False, told, "look at HOTLINE_TWILIO_ACCOUNT_SID, _AUTH_TOKEN and _API_URL")
    return Finding(name, True, "answers and takes our token")


def speech(runtime: Runtime) -> Finding:
    """The speech model is whole."""
    name = "speech model"
    try:
        return Finding(name, True, str(check_model(runtime.settings.speech_model)), needed=False)
    except ModelFault as fault:
        return Finding(name, False, str(fault), "run: hotline speech install small-cn", needed=False)


def first_call(runtime: Runtime) -> Finding:
    """A call has come in."""
    with session_scope(runtime.sessions) as session:
        found = session.scalar(select(Call.id).limit(1))
    base = runtime.settings.public_url
    mend = f"start `make run`, let the carrier call POST {base}/ivr/voice, and dial {runtime.settings.numbers[0]}"
    return Finding("first call", found is not None, "one came" if found else "none came yet", mend)


# in the order in which they can be mended; the rest need tables
LOOKS: Final[tuple[Look, ...]] = (database, city, administrator, numbers, pushes, carrier, speech)


def look(runtime: Runtime) -> list[Finding]:
    """Return every finding; without tables only what can be seen without them."""
    first = database(runtime)
    free = (pushes, carrier, speech)
    rest = LOOKS[1:] if first.good else free
    return [first, *(one(runtime) for one in rest)]
