"""Members of staff at their browsers, in a small city, at a moment a test can move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine

from hotline.accounts.service import Actor
from hotline.app import create_app
from hotline.bootstrap import Runtime
from hotline.db import SessionFactory, session_scope
from tests.conftest import NOON
from tests.factories import units as make_units
from tests.factories.units import City
from tests.web.shared.browser import Browser
from tests.web.simulated import process, small_site


@dataclass
class Clock:
    """The moment it is."""

    now: datetime

    def on(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    """Two hours after the day's first order was recorded."""
    return Clock(NOON + timedelta(hours=2))


@pytest.fixture
def here(sessions: SessionFactory) -> City:
    """A small city with somebody in every role."""
    with session_scope(sessions) as session:
        return make_units.city(session)


@pytest.fixture
def runtime(engine: Engine, sessions: SessionFactory, clock: Clock, tmp_path: Path) -> Runtime:
    """A process on this test's database, with a simulated carrier."""
    return process(small_site(tmp_path), engine, sessions, lambda: clock.now)


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    """Every page."""
    return create_app(runtime, ("web", "live"))


Staff = Callable[[Actor], Browser]


@pytest.fixture
def staff(app: Flask) -> Staff:
    """The browser of somebody who has logged in: ``staff(here.reviewer)``."""

    def sit_down(actor: Actor) -> Browser:
        browser = Browser(app.test_client())
        with browser.client.session_transaction() as cookie:
            cookie["_user_id"] = f"{actor.user_id}.1"  # as after the log-in page, without hashing a password
            cookie["_fresh"] = True
        browser.get("/password")  # a page with the token of this session
        return browser

    return sit_down
