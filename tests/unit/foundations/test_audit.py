"""What was read and done can be found again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from hotline import audit


def test_rows_are_found_by_act_and_person_newest_first(session: Session, now: datetime) -> None:
    rows = [
        audit.record(session, at=now, user_id=None, act=act, subject="caller", subject_id=number)
        for number, act in enumerate(("log_in", "reveal", "reveal"))
    ]
    assert audit.search(session, acts=["reveal"]) == [rows[2], rows[1]]
    assert audit.search(session, before_id=rows[2].id, limit=1) == [rows[1]]
    assert audit.search(session, user_ids=[5]) == []
    assert audit.counts(session) == {"log_in": 1, "reveal": 2}
