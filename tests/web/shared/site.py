"""A small site on a database in a temporary folder, for looking at pages outside of a test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask

import hotline.migrations.metadata as metadata
from hotline.accounts.service import create_user
from hotline.app import create_app
from hotline.bootstrap import Runtime
from hotline.calendars.china import ChinaCalendar
from hotline.config import Settings
from hotline.db import KeyRing, make_engine, make_sessions, session_scope, use_key_ring
from hotline.live.memory import MemoryBus
from hotline.telephony.simulated import SimulatedTelephony


@contextmanager
def small_site() -> Iterator[Flask]:
    """Yield an app with one supervisor ``sup`` / ``a long password``."""
    with TemporaryDirectory() as folder:
        keys = (("t1", os.urandom(32)),)
        use_key_ring(KeyRing(keys))
        url = f"sqlite:///{folder}/hotline.db"
        settings = Settings("http://localhost", url, "k" * 40, keys, data_dir=Path(folder))
        engine = make_engine(url)
        metadata.metadata.create_all(engine)
        sessions = make_sessions(engine)
        with session_scope(sessions) as session:
            create_user(
                session,
                username="sup",
                display_name="王敏",
                password="a long password",
                role="SUP",
                now=datetime.now(UTC),
            )
        yield create_app(
            Runtime(settings, engine, sessions, SimulatedTelephony(), MemoryBus(), ChinaCalendar()), ("web", "live")
        )
        engine.dispose()
