"""Forgetting a caller: who they were, and what editors of knowledge were given of their words."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.callers import service as callers
from hotline.callers.models import Caller
from hotline.calls.models import Call
from hotline.knowledge_base import tasks


def forget(session: Session, *, caller: Caller, actor: Actor, reason: str, now: datetime) -> None:
    """Erase a contact (see ``callers.service.erase``) and blank what its calls left with knowledge; counts stay.

    What stands in a published entry stays: an editor wrote it. Twice changes nothing.
    """
    tasks.forget(session, session.scalars(select(Call.id).where(Call.caller_id == caller.id)).all())
    callers.erase(session, caller=caller, actor=actor, reason=reason, now=now)
    session.flush()
