"""docs/how-to/open-a-city.md tells the truth: its files are taken as they stand, its commands are there."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import func, select

from hotline import bootstrap
from hotline.accounts.models import User
from hotline.calls.models import DialledNumber
from hotline.doctor import BY_KEY, State, look
from hotline.queues import ALL
from hotline.setup.env import EnvFile
from hotline.units.models import Unit
from tests.unit.cli.conftest import database, hotline

CHECKOUT = Path(__file__).parents[3]
PAGE = (CHECKOUT / "docs" / "how-to" / "open-a-city.md").read_text(encoding="utf-8")


@pytest.fixture
def written(place: Path) -> Path:
    """The folder, with the page's files in it."""
    blocks = re.findall(r"^`(\w+\.csv)`:[^`]*?\n\n```csv\n(.*?)```", PAGE, re.S | re.M)
    assert [name for name, _ in blocks] == ["units.csv", "users.csv"]
    for name, text in blocks:
        (place / name).write_text(text, encoding="utf-8")
    return place


def test_the_two_files_are_taken_as_they_stand_and_leave_nobody_missing(written: Path) -> None:
    told = hotline("setup", "--yes", "--units", "units.csv", "--users", "users.csv")
    assert "有问题" not in told.output
    assert "还差：Redis、电话线路、" in told.output
    runtime = bootstrap.build(EnvFile(written / ".env").settings())
    for key in ("hub", "units", "administrator", "operators", "dispatchers", "callbacks", "clerks", "categories"):
        assert look(runtime, BY_KEY[key]).state is State.OK, key
    runtime.close()
    with database(written)() as session:
        assert session.scalar(select(func.count()).select_from(Unit)) == 5
        assert session.scalar(select(func.count()).select_from(User)) == 9


def test_the_answers_of_the_page_are_understood(written: Path) -> None:
    text = re.search(r"```toml\n(.*?)```", PAGE, re.S)
    assert text is not None
    answers = tomllib.loads(text[1])
    del answers["speech"]  # fetches from its publisher
    answers["database_url"] = f"sqlite:///{written / 'city.db'}"
    (written / "answers.toml").write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in answers.items()))
    hotline("setup", "--yes", "--answers", "answers.toml")
    kept = EnvFile(written / ".env").settings()
    assert kept.twilio_auth_token == answers["twilio_auth_token"]
    with database(written)() as session:
        assert session.scalars(select(DialledNumber.number)).all() == ["12345"]


def test_the_small_machine_works_on_every_queue() -> None:
    lines = (CHECKOUT / "Procfile.small").read_text().splitlines()
    worked_on = {line.rsplit(maxsplit=1)[-1] for line in lines if "workers.main" in line}
    assert worked_on == set(ALL)


def test_every_command_the_checks_name_is_there() -> None:
    for check in BY_KEY.values():
        if check.command.startswith("hotline "):
            words = [word for word in check.command.split()[1:] if word.islower() and not word.startswith("-")]
            told = hotline(*words[:2] if words[0] in {"db", "kb", "user", "speech"} else words[:1], "--help")
            assert told.exit_code == 0, check.command
