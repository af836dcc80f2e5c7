"""The only place that names concrete adapters: from settings to everything a process works with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Engine

from hotline import outbox
from hotline.calendars.base import Calendar
from hotline.calendars.china import ChinaCalendar
from hotline.calendars.service import OwnDays
from hotline.clock import utc_now
from hotline.config import Settings
from hotline.db import KeyRing, SessionFactory, make_engine, make_sessions, use_key_ring
from hotline.knowledge_base.search.following import tell_after_commit
from hotline.knowledge_base.search.index import KnowledgeIndex
from hotline.knowledge_base.search.initials import InitialsIndex
from hotline.live.base import Bus, Hint
from hotline.live.memory import MemoryBus
from hotline.live.redis import RedisBus
from hotline.queues import RELAY_CHANNEL
from hotline.routing.queries import ModelInUse
from hotline.speech.base import SpeechEngine
from hotline.speech.models import ModelFault, check_model
from hotline.speech.silent import SilentEngine
from hotline.speech.vosk import VoskEngine
from hotline.telephony.base import Telephony
from hotline.telephony.twilio import TwilioTelephony

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Runtime:
    """What a process works with. Tests build one from fakes at the ports."""

    settings: Settings
    engine: Engine
    sessions: SessionFactory
    telephony: Telephony
    bus: Bus
    calendar: Calendar
    speech: SpeechEngine = field(default_factory=SilentEngine)
    knowledge: KnowledgeIndex = field(default_factory=KnowledgeIndex)
    initials: InitialsIndex = field(default_factory=InitialsIndex)
    routing: ModelInUse = field(default_factory=ModelInUse)
    now: Callable[[], datetime] = utc_now

    def today(self) -> date:
        """Return what day it is in the city."""
        return self.now().astimezone(self.settings.tz).date()

    def close(self) -> None:
        """Give back connections."""
        self.engine.dispose()


def build(settings: Settings, *, with_speech: bool = False) -> Runtime:
    """Build the runtime of one process. Only the process that hears loads the model (``with_speech``).

    A missing or broken model is one log line with the command that mends it; calls go on without a transcript.
    """
    use_key_ring(KeyRing(settings.data_keys))
    engine = make_engine(settings.database_url)
    sessions = make_sessions(engine)
    bus: Bus = RedisBus(settings.redis_url) if settings.redis_url else MemoryBus()
    outbox.after_commit(sessions, lambda: bus.publish(Hint(RELAY_CHANNEL, "due")))
    tell_after_commit(sessions, bus)
    own_days = OwnDays()
    own_days.follow(sessions)
    return Runtime(
        settings=settings,
        engine=engine,
        sessions=sessions,
        telephony=TwilioTelephony(settings),
        bus=bus,
        calendar=ChinaCalendar(overrides=own_days),
        speech=load_speech(settings) if with_speech else SilentEngine(),
    )


def load_speech(settings: Settings) -> SpeechEngine:
    """Load the recogniser the settings name, or the silent one with a line that says how to mend it."""
    try:
        return VoskEngine(check_model(settings.speech_model))
    except ModelFault as fault:
        log.warning("%s", fault)
        return SilentEngine()
