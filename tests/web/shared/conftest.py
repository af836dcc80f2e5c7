"""Apps for the shared parts of the web, and people to log in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from hotline.accounts.service import create_user
from hotline.app import create_app
from hotline.bootstrap import Runtime
from hotline.config import Settings
from hotline.db import SessionFactory, session_scope
from tests.web.shared.browser import Browser
from tests.web.simulated import process, small_site

PASSWORD = "a long password"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a small site in one process."""
    return small_site(tmp_path)


@pytest.fixture
def runtime(settings: Settings, engine: Engine, sessions: SessionFactory, now: datetime) -> Runtime:
    """A process on this test's database at a fixed moment, with an outside that is simulated."""
    return process(settings, engine, sessions, lambda: now)


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    """Pages and the live line."""
    return create_app(runtime, ("web", "live"))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without cookies yet."""
    return app.test_client()


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    """The same, that knows how forms are sent."""
    return Browser(client)


MakeUser = Callable[..., int]


@pytest.fixture
def user(sessions: SessionFactory, now: datetime) -> MakeUser:
    """Add a member of staff and return the id: ``user("wang", role="OPR")``."""

    def make(username: str = "wang", role: str = "OPR", seat: str = "") -> int:
        with session_scope(sessions) as session:
            made = create_user(
                session, username=username, display_name="王敏", password=PASSWORD, role=role, now=now, seat=seat
            )
            return made.id

    return make


@pytest.fixture
def with_settings(runtime: Runtime) -> Callable[..., Runtime]:
    """The runtime with other settings."""

    def change(**values: object) -> Runtime:
        runtime.settings = replace(runtime.settings, **values)  # type: ignore[arg-type]
        return runtime

    return change
