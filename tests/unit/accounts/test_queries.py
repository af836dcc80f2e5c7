"""Finding members of staff."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from hotline.accounts import queries, service


def test_staff_are_found_by_name_or_user_name_and_a_percent_sign_is_no_wildcard(
    session: Session, now: datetime
) -> None:
    made = [
        service.create_user(
            session, username=username, display_name=name, password="correct horse battery", role="OPR", now=now
        )
        for username, name in (("op01", "王强"), ("op02", "李敏"))
    ]
    assert queries.called(session, "王") == [made[0]]
    assert queries.called(session, "op0") == made
    assert queries.called(session, "%") == []
    assert queries.named(session, [made[1].id, None, 999]) == {made[1].id: made[1]}
