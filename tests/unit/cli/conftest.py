"""A folder with a city's files in it, no settings, and the command as a person gives it there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hotline.cli import main
from hotline.config import Settings
from hotline.db import KeyRing, SessionFactory, make_engine, make_sessions, use_key_ring
from hotline.setup.env import OF_THE_EXCHANGE, EnvFile
from tests.unit.imports.files import csv_of

UNITS = [
    {"code": "HS", "name": "热线中心", "tier": "热线中心", "parent": ""},
    {"code": "HS-JZ", "name": "冀州区", "tier": "二级", "parent": "HS"},
    {"code": "HS-JZ-01", "name": "冀州镇", "tier": "三级", "parent": "HS-JZ"},
]
USERS = [
    {"username": "op01", "display_name": "话务员", "role": "话务员", "unit": "", "seat": "seat01"},
    {"username": "jz01", "display_name": "冀州经办", "role": "二级单位经办", "unit": "HS-JZ", "seat": ""},
    {"username": "jz02", "display_name": "放错的人", "role": "二级单位经办", "unit": "HS-JZ-01", "seat": ""},
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: KeyRing) -> Iterator[Path]:
    """A folder with nothing in it, no settings in the environment."""
    for name in Settings.__dataclass_fields__:
        monkeypatch.delenv(f"HOTLINE_{name.upper()}", raising=False)
    for name in OF_THE_EXCHANGE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOTLINE_TWILIO_API_URL", "http://127.0.0.1:9")  # nobody answers there
    monkeypatch.setenv("HOTLINE_REDIS_URL", "redis://127.0.0.1:9/0")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "units.csv").write_bytes(csv_of("units", UNITS))
    (tmp_path / "users.csv").write_bytes(csv_of("users", USERS, encoding="gb18030"))
    yield tmp_path
    use_key_ring(keys)  # the command works with keys of its own


def hotline(*words: str, said: Sequence[str] = ()) -> Result:
    """Give a command; ``said`` is what the person answers, line by line, before they press Ctrl-D."""
    return CliRunner().invoke(main, words, input="".join(f"{line}\n" for line in said))


def database(place: Path) -> SessionFactory:
    """The database that the settings of this folder name."""
    settings = EnvFile(place / ".env").settings()
    use_key_ring(KeyRing(settings.data_keys))
    return make_sessions(make_engine(settings.database_url))
