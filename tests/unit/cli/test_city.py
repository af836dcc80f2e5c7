"""What an administrator does from a shell to make the hotline their city's own."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from hotline.accounts.models import User
from hotline.accounts.service import authenticate
from hotline.calls.models import DialledNumber
from hotline.cli import main
from hotline.cli_setup import read_env
from hotline.config import Settings
from hotline.db import KeyRing, SessionFactory, make_engine, make_sessions, use_key_ring
from hotline.errors import NotPermitted
from tests.conftest import NOON
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
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with nothing in it, no settings in the environment."""
    for name in Settings.__dataclass_fields__:
        monkeypatch.delenv(f"HOTLINE_{name.upper()}", raising=False)
    monkeypatch.setenv("HOTLINE_TWILIO_API_URL", "http://127.0.0.1:9")  # nobody answers there
    monkeypatch.setenv("HOTLINE_REDIS_URL", "redis://127.0.0.1:9/0")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "units.csv").write_bytes(csv_of("units", UNITS))
    (tmp_path / "users.csv").write_bytes(csv_of("users", USERS, encoding="gb18030"))
    return tmp_path


def hotline(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def database(place: Path) -> SessionFactory:
    settings = Settings.from_env(read_env(place / ".env") | {"HOTLINE_TWILIO_API_URL": ""})
    use_key_ring(KeyRing(settings.data_keys))
    return make_sessions(make_engine(settings.database_url))


def test_setup_leads_from_nothing_to_where_only_the_outside_world_is_missing(place: Path, keys: KeyRing):
    try:
        first = hotline("setup", "--yes", "--units", "units.csv", "--users", "users.csv")
        assert first.exit_code == 1
        assert "还差：redis、carrier、first call" in first.output
        assert "第 4 行 岗位：HS-JZ-01 不是二级单位" in first.output
        assert stat.S_IMODE((place / ".env").stat().st_mode) == 0o600
        kept = (place / ".env").read_text()
        with database(place)() as session:
            assert set(session.scalars(select(User.username))) == {"adm", "op01", "jz01"}
            assert session.scalars(select(DialledNumber.number)).all() == ["12345"]
        again = hotline("setup", "--yes")
        assert "首次登录码" not in again.output  # nothing that is there is done twice
        assert (place / ".env").read_text() == kept
    finally:
        use_key_ring(keys)


def test_people_get_codes_that_only_the_importer_can_read(place: Path, keys: KeyRing, monkeypatch: pytest.MonkeyPatch):
    try:
        hotline("setup", "--yes", "--units", "units.csv")
        for name, value in read_env(place / ".env").items():
            monkeypatch.setenv(name, value)
        looked = hotline("import", "users", "users.csv", "--preview")
        assert "新增 2" in looked.output and looked.exit_code == 2
        done = hotline("import", "users", "users.csv", "--yes", "--as", "adm")
        assert "已写入：新增 2" in done.output and done.exit_code == 2
        refused = list(csv.reader((place / "users.csv.refused.csv").open(encoding="utf-8-sig")))
        assert refused[1][:2] == ["4", "岗位：HS-JZ-01 不是二级单位"]
        codes = place / "users.csv.codes.csv"
        assert stat.S_IMODE(codes.stat().st_mode) == 0o600
        given = dict(list(csv.reader(codes.open(encoding="utf-8-sig")))[1:])
        with database(place)() as session:
            user = authenticate(session, username="op01", password=given["op01"], now=NOON)
            assert user.must_set_password
            with pytest.raises(NotPermitted):
                authenticate(session, username="op01", password=given["jz01"], now=NOON)
        again = hotline("import", "users", "users.csv", "--yes")
        assert "新增 0，修改 0，未变 2" in again.output
    finally:
        use_key_ring(keys)


def test_each_kind_prints_an_example(place: Path):
    told = hotline("import", "gazetteer", "--example")
    assert told.exit_code == 0
    assert told.stdout.startswith("地名,类型,所属县区,行政区划代码,别名,启用\n德政大道,道路,131103")
