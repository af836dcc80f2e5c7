"""What is kept of a caller, what is shown of it, and what is left when it is erased."""

from __future__ import annotations

import os
from datetime import datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.audit import AccessLog
from hotline.callers import queries, service
from hotline.callers.models import Caller
from hotline.callers.numbers import mask, normalise
from hotline.db import KeyRing, use_key_ring
from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from tests.factories import people

PHONE = "+8619900001234"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("+8619900001234", PHONE),
        ("19900001234", PHONE),
        ("199 0000 1234", PHONE),
        ("008619900001234", PHONE),
        ("0318-2024114", "+863182024114"),
        ("+863182024114", "+863182024114"),
        ("10086", "10086"),
        ("110", "110"),
        ("+85221234567", "+85221234567"),
        ("", None),
        (None, None),
        ("anonymous", None),
        ("Restricted", None),
        ("+266696687", None),
        ("+7378742833", None),
        ("client:seat07", None),
        ("+86", None),
        ("1" * 40, None),
        ("+86199000012341234567", None),
        ("<script>", None),
        ("12", None),
    ],
)
def test_numbers_come_in_many_forms_and_are_kept_in_one(written: str | None, kept: str | None) -> None:
    assert normalise(written) == kept


@pytest.mark.parametrize(
    ("number", "shown"),
    [(PHONE, "199****1234"), ("+863182024114", "318****4114"), ("10086", "***86"), (None, "号码保密")],
)
def test_a_mask_shows_too_little_to_call(number: str | None, shown: str) -> None:
    assert mask(number) == shown


def test_nothing_personal_stands_in_the_database_in_the_clear(session: Session, now: datetime) -> None:
    caller = service.remember(session, phone=PHONE, name="王小明", contact="0318-2024114", now=now)
    row = session.execute(text("SELECT * FROM callers WHERE id = :id"), {"id": caller.id}).mappings().one()
    kept = b" ".join(value if isinstance(value, bytes) else str(value).encode() for value in row.values())
    for secret in ("19900001234", "王小明", "2024114"):
        assert secret.encode() not in kept
    assert row["phone_mask"] == "199****1234"


def test_a_withheld_number_is_a_caller_without_index(session: Session, now: datetime) -> None:
    caller = service.remember(session, phone="anonymous", now=now)
    assert (caller.phone, caller.phone_index, caller.phone_mask) == (None, None, "号码保密")
    assert queries.same_person(session, caller) == [caller.id]


def test_a_caller_is_known_again_after_the_keys_were_rotated(session: Session, now: datetime, keys: KeyRing) -> None:
    old, new = ("a1", os.urandom(32)), ("b2", os.urandom(32))
    try:
        use_key_ring(KeyRing([old]))
        first = service.remember(session, phone=PHONE, now=now)
        use_key_ring(KeyRing([new, old]))
        second = service.remember(session, phone="199 0000 1234", now=now)
        service.remember(session, phone="+8619900005678", now=now)
        assert first.phone_index != second.phone_index
        assert queries.same_person(session, second) == [second.id, first.id]
        assert queries.with_phone(session, "19900001234") == [second.id, first.id]
    finally:
        session.rollback()
        use_key_ring(keys)


def test_the_same_person_twice_has_two_commitments(session: Session, now: datetime) -> None:
    first = service.remember(session, phone=PHONE, name="王小明", now=now)
    second = service.remember(session, phone=PHONE, name="王小明", now=now)
    assert service.commitment(first) != service.commitment(second)
    assert service.commitment(first) == service.commitment(first)
    before = service.commitment(first)
    service.set_details(session, caller=first, name="王晓明")
    assert service.commitment(first) != before


def test_to_look_one_says_why_and_leaves_a_row(session: Session, now: datetime) -> None:
    caller = service.remember(session, phone=PHONE, name="王小明", now=now)
    officer = people.actor(session, Role.CBK)
    with pytest.raises(Invalid):
        service.reveal(session, caller=caller, field="phone", actor=officer, reason="看看", now=now)
    assert session.scalars(select(AccessLog)).all() == []
    seen = service.reveal(session, caller=caller, field="phone", actor=officer, reason="回访核实地址", now=now)
    assert seen == PHONE
    row = session.scalars(select(AccessLog)).one()
    assert (row.user_id, row.act, row.subject, row.subject_id) == (officer.user_id, "reveal", "caller", str(caller.id))
    assert row.reason == "回访核实地址"
    assert row.details == {"field": "phone"}


def test_in_ones_own_call_no_reason_is_asked_but_the_row_is_left(session: Session, now: datetime) -> None:
    caller = service.remember(session, phone=PHONE, now=now)
    operator = people.actor(session, Role.OPR)
    seen = service.reveal(session, caller=caller, field="phone", actor=operator, reason="", now=now, own_open_call=True)
    assert seen == PHONE
    assert session.scalars(select(AccessLog.user_id)).all() == [operator.user_id]


@pytest.mark.parametrize(("holds", "role"), [(False, Role.U3), (True, Role.LDR), (True, Role.AUD), (True, Role.ADM)])
def test_who_has_no_business_with_a_caller_sees_nothing(
    session: Session, now: datetime, holds: bool, role: Role
) -> None:
    caller = service.remember(session, phone=PHONE, now=now)
    nobody = people.actor(session, role)
    with pytest.raises(NotPermitted):
        service.reveal(
            session,
            caller=caller,
            field="phone",
            actor=nobody,
            reason="想联系一下市民",
            now=now,
            own_open_call=True,
            unit_may=lambda: holds,
        )
    assert session.scalars(select(AccessLog)).all() == []


def test_a_unit_that_holds_the_order_must_still_say_why(session: Session, now: datetime) -> None:
    caller = service.remember(session, phone=PHONE, now=now)
    clerk = people.actor(session, Role.U3)
    with pytest.raises(Invalid):
        service.reveal(
            session,
            caller=caller,
            field="phone",
            actor=clerk,
            reason="",
            now=now,
            own_open_call=True,
            unit_may=lambda: True,
        )
    seen = service.reveal(
        session, caller=caller, field="phone", actor=clerk, reason="上门前联系", now=now, unit_may=lambda: True
    )
    assert seen == PHONE


def test_an_unknown_field_is_refused(session: Session, now: datetime) -> None:
    caller = service.remember(session, phone=PHONE, now=now)
    with pytest.raises(Invalid):
        service.reveal(session, caller=caller, field="salt", actor=people.actor(session), reason="为什么不行", now=now)


def test_erasing_leaves_an_id_a_row_and_nothing_to_guess_with(session: Session, now: datetime) -> None:
    caller = service.remember(session, phone=PHONE, name="王小明", contact="19900005678", now=now)
    officer = people.actor(session, Role.SEC)
    service.erase(session, caller=caller, actor=officer, reason="保存期满", now=now)
    service.erase(session, caller=caller, actor=officer, reason="保存期满", now=now)
    session.commit()
    session.expire_all()
    kept = session.get_one(Caller, caller.id)
    assert (kept.phone, kept.name, kept.contact, kept.salt, kept.phone_index, kept.contact_index) == (None,) * 6
    assert kept.erased_at == now
    assert session.scalars(select(AccessLog.act)).all() == ["erase"]
    with pytest.raises(NotAllowedNow):
        service.commitment(kept)
    with pytest.raises(NotAllowedNow):
        service.set_details(session, caller=kept, name="王小明")
