"""Forgetting a caller: who they were, what was heard of their calls, and what editors of knowledge were given of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.callers import service as callers
from hotline.callers.models import Caller
from hotline.calls.models import Call, Utterance
from hotline.knowledge_base import tasks


def forget(session: Session, *, caller: Caller, actor: Actor, reason: str, now: datetime) -> None:
    """Erase a contact (see ``callers.service.erase``), both sides' words of its calls and what they left with
    knowledge; counts stay.

    What stands in a published entry stays: an editor wrote it. Twice changes nothing.
    """
    call_ids = session.scalars(select(Call.id).where(Call.caller_id == caller.id)).all()
    session.execute(update(Utterance).where(Utterance.call_id.in_(call_ids)).values(text=None))
    tasks.forget(session, call_ids)
    callers.erase(session, caller=caller, actor=actor, reason=reason, now=now)
    session.flush()
