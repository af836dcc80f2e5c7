"""``hotline unit-key``: made, shown once, listed without the secret, revoked."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from hotline.units.models import Unit, UnitKey
from tests.unit.cli.conftest import database, hotline


def test_a_key_is_shown_once_and_revoked_from_a_shell(place: Path) -> None:
    hotline("setup", "--yes", "--units", "units.csv")
    made = hotline("unit-key", "create", "--unit", "HS-JZ")
    assert made.exit_code == 0, made.output
    key_id, secret = (line.split()[1] for line in made.output.splitlines())
    with database(place)() as session:
        key = session.scalars(select(UnitKey)).one()
        assert (key.key_id, key.secret) == (key_id, secret)
    listed = hotline("unit-key", "list", "--unit", "HS-JZ").output
    assert key_id in listed and "in use" in listed and secret not in listed
    assert hotline("unit-key", "revoke", key_id).exit_code == 0
    assert "revoked" in hotline("unit-key", "list", "--unit", "HS-JZ").output


def test_what_makes_no_sense_is_told_in_one_sentence(place: Path) -> None:
    hotline("setup", "--yes", "--units", "units.csv")
    for words, told in (
        (("create", "--unit", "HS"), "承办单位"),
        (("create", "--unit", "ZZ"), "ZZ"),
        (("revoke", "x"), "密钥"),
    ):
        done = hotline("unit-key", *words)
        assert done.exit_code == 1
        assert told in done.output


def test_a_new_secret_for_pushes_takes_the_place_of_the_old(place: Path) -> None:
    hotline("setup", "--yes", "--units", "units.csv")
    first, second = (hotline("unit-key", "webhook-secret", "--unit", "HS-JZ").output.strip() for _ in range(2))
    with database(place)() as session:
        assert session.scalars(select(Unit).where(Unit.code == "HS-JZ")).one().webhook_secret == second != first
