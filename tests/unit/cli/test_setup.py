"""``hotline setup`` as an administrator meets it at a terminal."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from hotline.accounts.models import User
from hotline.audit import AccessLog
from hotline.calls.models import DialledNumber
from hotline.db import session_scope
from hotline.demo import city
from hotline.errors import NotAllowedNow
from hotline.setup.env import read_env
from hotline.units.models import Category, Unit
from tests.conftest import NOON
from tests.unit.cli.conftest import UNITS, database, hotline
from tests.unit.imports.files import csv_of

NOW = ("--wait", "0")  # nobody starts a program meanwhile
OFFICE = [
    {"username": "rev01", "display_name": "派单员", "role": "派单员", "unit": "", "seat": ""},
    {"username": "cbk01", "display_name": "回访员", "role": "回访员", "unit": "", "seat": ""},
]
NOBODY = "http://127.0.0.1:9"  # answers there
SETTINGS = [NOBODY, "", "", "y"]  # address, database, numbers, exchange
SKIPPED = "s"


def test_without_anybody_to_ask_it_goes_as_far_as_the_files_given_lead(place: Path):
    first = hotline("setup", "--yes", "--units", "units.csv", "--users", "users.csv")
    assert first.exit_code == 1
    assert "还差：Redis、电话线路、派单员、回访员、" in first.output
    assert "第 4 行 岗位：HS-JZ-01 不是二级单位" in first.output
    assert stat.S_IMODE((place / ".env").stat().st_mode) == 0o600
    with database(place)() as session:
        assert set(session.scalars(select(User.username))) == {"adm", "op01", "jz01"}
        assert session.scalars(select(DialledNumber.number)).all() == ["12345"]


def test_begun_again_it_changes_nothing_that_is_done(place: Path):
    hotline("setup", "--yes", "--units", "units.csv", "--users", "users.csv")
    kept = (place / ".env").read_text()
    with database(place)() as session:
        written = session.scalar(select(func.count()).select_from(AccessLog))
    again = hotline("setup", "--yes")
    assert "（只显示这一次）" not in again.output
    assert (place / ".env").read_text() == kept
    with database(place)() as session:
        assert session.scalar(select(func.count()).select_from(AccessLog)) == written


def test_an_answer_that_cannot_be_taken_is_told_and_asked_for_again(
    place: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("HOTLINE_REDIS_URL")
    (place / "office.csv").write_bytes(csv_of("users", OFFICE))
    (place / "broken.csv").write_text("编号,名字\n1,2\n")
    told = hotline(
        "setup",
        *NOW,
        said=[
            *("nonsense", NOBODY),
            *("postgresql://nobody@127.0.0.1:9/x", ""),
            *("redis://127.0.0.1:9/0", redis_url),
            *("one two", "12345,961890"),
            *("maybe", "y"),
            SKIPPED,  # the exchange does not run
            *("nowhere.csv", "broken.csv", "units.csv"),
            *("users.csv", "n", "users.csv", "y", "office.csv"),
            *("", ""),  # administrator, categories
            *("", "您好，通话将被录音。", "便民热线", ""),
            *("/nowhere/vosk-model-small-cn-0.22.zip", "0" * 32, ""),
            *(SKIPPED, SKIPPED),  # the programs do not run
            "y",
        ],
    )
    for words in (
        "is not a URL of http, https",
        "连不上：",
        "连不上：Error 111",
        "'one two' is not a telephone number",
        "请回答 y 或 n",
        "没有文件 nowhere.csv",
        "不认识的列：编号、名字",
        "第 4 行 岗位：HS-JZ-01 不是二级单位",
        "there is no file /nowhere/",
        "还差：电话线路、热线程序、后台程序、第一个电话。",
    ):
        assert words in told.output
    with database(place)() as session:
        assert set(session.scalars(select(Unit.code))) == {row["code"] for row in UNITS}
        assert set(session.scalars(select(User.username))) == {"adm", "op01", "jz01", "rev01", "cbk01"}
        assert session.scalar(select(func.count()).select_from(Category)) == 30
        greetings = dict(session.execute(select(DialledNumber.number, DialledNumber.greeting)).all())
    assert greetings["12345"] == "您好，通话将被录音。"
    assert "便民热线" in greetings["961890"]


def test_interrupted_it_goes_on_at_the_first_question_not_answered(place: Path):
    first = hotline("setup", *NOW, said=["https://12345.example", ""])
    assert "Aborted" in first.output
    kept = read_env(place / ".env")
    assert kept["HOTLINE_PUBLIC_URL"] == "https://12345.example"
    second = hotline("setup", *NOW, said=["", "n"])
    assert "网址" not in second.output.partition("热线号码")[0]
    assert second.output.count("数据库 [") == 0
    third = hotline("setup", *NOW, said=["n", "AC" + "1" * 32, "t" * 32, SKIPPED, SKIPPED, "units.csv"])
    assert "承办单位：新增 3" in third.output
    fourth = hotline("setup", *NOW, said=[SKIPPED, SKIPPED, "users.csv", "y"])
    assert "承办单位文件" not in fourth.output and "人员：新增 2" in fourth.output
    assert {name: read_env(place / ".env")[name] for name in kept} == kept


def test_answers_may_stand_in_a_file(place: Path):
    (place / "answers.toml").write_text(
        'public_url = "https://12345.example"\nnumbers = "961890"\nexchange = true\n'
        'units = "units.csv"\nadmin = "chen"\nname_961890 = "便民热线"\n'
    )
    hotline("setup", "--yes", "--answers", "answers.toml", "--answer", "admin=wang")
    with database(place)() as session:
        assert session.scalars(select(User.username)).all() == ["wang"]
        assert session.scalars(select(DialledNumber.name)).all() == ["便民热线"]


def test_a_wrong_answer_given_beforehand_ends_it_in_words(place: Path):
    told = hotline("setup", "--yes", "--answer", "units=nowhere.csv")
    assert told.exit_code == 1
    assert "没有文件 nowhere.csv（--answer units=…）" in told.output
    assert "KEY=VALUE is wanted" in hotline("setup", "--answer", "units").output


def test_the_demo_city_may_be_taken_instead_of_ones_own(place: Path):
    told = hotline("setup", "--yes", "--demo")
    assert "演示城市已写入" in told.output
    with database(place)() as session:
        assert session.scalar(select(func.count()).select_from(Unit)) == 118


def test_the_doctor_tells_each_thing_and_what_to_do(place: Path):
    hotline("setup", "--yes", "--units", "units.csv")
    told = hotline("doctor")
    assert told.exit_code == 1
    assert "✓ units: 1" in told.output
    assert "✗ operators: no operator has a seat" in told.output
    assert "run: hotline import users FILE or http://127.0.0.1:8000/office/city/users" in told.output


def test_without_tables_the_doctor_looks_at_the_rest(place: Path):
    hotline("setup", *NOW, said=SETTINGS)
    (place / "hotline.db").unlink()
    told = hotline("doctor").output
    assert "✗ tables: there are none" in told and "run: hotline db upgrade" in told
    assert "carrier" in told and "units" not in told


def test_the_doctor_sees_that_the_keys_are_others(place: Path, monkeypatch: pytest.MonkeyPatch):
    units = [*UNITS, {"code": "SW", "name": "水务局", "tier": "二级", "parent": "HS", "duty_phone": "19900000077"}]
    (place / "units.csv").write_bytes(csv_of("units", units))
    hotline("setup", "--yes", "--units", "units.csv")
    assert "✓ data keys: they open" in hotline("doctor").output
    monkeypatch.setenv("HOTLINE_DATA_KEYS", "k2:" + "A" * 43 + "=")
    told = hotline("doctor")
    assert "✗ data keys: what the database holds cannot be read" in told.output


def test_the_demo_city_may_be_begun_again_after_an_interruption_and_never_beside_a_citys_own(
    place: Path, monkeypatch: pytest.MonkeyPatch
):
    hotline("setup", "--yes")
    sessions = database(place)
    with monkeypatch.context() as without_power:
        without_power.setattr(city, "DATA", place)
        with pytest.raises(ValueError, match="is wrong"):  # these units are taken, these users are not all
            city.seed(sessions, password="a long password", now=NOON)
    with sessions() as session:
        assert city.may_seed(session) and not city.is_demo(session)
    with session_scope(sessions) as session:
        session.execute(delete(AccessLog).where(AccessLog.act == city.BEGUN))
    with pytest.raises(NotAllowedNow, match="只写入空库"):
        city.seed(sessions, password="a long password", now=NOON)
