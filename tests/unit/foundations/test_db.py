"""Typed columns keep their promises on the wire and at rest."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from hotline.callers.models import Caller
from hotline.db import KeyRing, UnreadableError


@given(st.binary())
def test_what_is_encrypted_comes_back_and_does_not_show(plain: bytes) -> None:
    ring = KeyRing([("a", os.urandom(32))])
    token = ring.encrypt(plain)
    assert ring.decrypt(token) == plain
    assert len(plain) < 4 or plain not in token


def test_after_a_rotation_old_rows_are_read_and_found() -> None:
    old, new = os.urandom(32), os.urandom(32)
    before = KeyRing([("k1", old)])
    token, index = before.encrypt(b"+8619900001234"), before.index("+8619900001234")
    after = KeyRing([("k2", new), ("k1", old)])
    assert after.decrypt(token) == b"+8619900001234"
    assert index in after.indexes("+8619900001234")
    assert after.index("+8619900001234").startswith("k2:")


def test_an_altered_token_or_a_missing_key_is_told() -> None:
    ring = KeyRing([("k1", os.urandom(32))])
    token = bytearray(ring.encrypt(b"words"))
    token[-1] ^= 1
    with pytest.raises(UnreadableError):
        ring.decrypt(bytes(token))
    with pytest.raises(UnreadableError):
        KeyRing([("k9", os.urandom(32))]).decrypt(ring.encrypt(b"words"))


def test_a_number_is_not_in_the_database_file_in_the_clear(session: Session, now: datetime) -> None:
    session.add(Caller(phone="+8619900001234", name="李某某", phone_mask="199****1234", created_at=now))
    session.flush()
    raw = session.execute(text("SELECT phone, name FROM callers")).one()
    assert b"19900001234" not in bytes(raw.phone) and "李".encode() not in bytes(raw.name)
    assert raw.phone.startswith(b"t1:")  # the key's id is in every ciphertext
    session.expire_all()
    assert session.query(Caller).one().phone == "+8619900001234"


def test_moments_come_back_aware_and_naive_ones_are_refused(session: Session) -> None:
    local = datetime(2026, 11, 18, 12, 0, tzinfo=timezone(timedelta(hours=8)))
    session.add(Caller(created_at=local))
    session.flush()
    session.expire_all()
    found = session.query(Caller).one().created_at
    assert found == local and found.tzinfo == UTC
    session.add(Caller(created_at=datetime(2026, 11, 18, 12, 0)))  # noqa: DTZ001 - that is the point
    with pytest.raises(StatementError, match="time zone"):
        session.flush()
