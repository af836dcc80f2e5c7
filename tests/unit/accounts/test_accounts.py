"""Who may log in."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts import service
from hotline.accounts.models import ApiToken
from hotline.audit import AccessLog
from hotline.errors import Invalid, NotPermitted

PASSWORD = "correct horse battery"


def test_the_right_password_opens_and_leaves_a_row(session: Session, now: datetime) -> None:
    made = service.create_user(session, username="op", display_name="话务员", password=PASSWORD, role="OPR", now=now)
    assert service.authenticate(session, username="op", password=PASSWORD, now=now) is made
    assert session.scalars(select(AccessLog.act)).all() == ["log_in"]
    assert PASSWORD not in made.password_hash


def test_unknown_name_wrong_password_and_disabled_user_hear_the_same(session: Session, now: datetime) -> None:
    made = service.create_user(session, username="op", display_name="", password=PASSWORD, role="OPR", now=now)
    heard = []
    for username, password, active in (("nobody", PASSWORD, True), ("op", "wrong", True), ("op", PASSWORD, False)):
        made.active = active
        with pytest.raises(NotPermitted) as caught:
            service.authenticate(session, username=username, password=password, now=now)
        heard.append(caught.value.message)
    assert len(set(heard)) == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"password": "short"}, "password"),
        ({"role": "KING"}, "role"),
        ({"role": "U2"}, "unit"),
        ({"username": " "}, "username"),
        ({"username": "taken"}, "username"),
    ],
)
def test_a_wrong_user_is_refused_with_the_field(
    session: Session, now: datetime, given: dict[str, str], field: str
) -> None:
    service.create_user(session, username="taken", display_name="", password=PASSWORD, role="OPR", now=now)
    facts = {"username": "new", "display_name": "", "password": PASSWORD, "role": "OPR"} | given
    with pytest.raises(Invalid) as caught:
        service.create_user(session, now=now, **facts)
    assert field in caught.value.details


def test_a_new_password_ends_every_log_in(session: Session, now: datetime) -> None:
    made = service.create_user(session, username="op", display_name="", password=PASSWORD, role="OPR", now=now)
    before = made.session_version
    service.set_password(session, user=made, password="another long password")
    assert made.session_version > before
    with pytest.raises(NotPermitted):
        service.authenticate(session, username="op", password=PASSWORD, now=now)


def test_a_token_acts_as_its_program_until_revoked_and_is_kept_as_a_hash(session: Session, now: datetime) -> None:
    program = service.create_program(session, role="REV", unit_id=None, now=now)
    token = service.create_token(session, user_id=program.id, now=now)
    assert service.user_of_token(session, token) is program
    row = session.scalars(select(ApiToken)).one()
    assert token not in row.token_hash
    row.revoked_at = now
    session.flush()
    with pytest.raises(NotPermitted):
        service.user_of_token(session, token)
