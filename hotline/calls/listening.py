"""From what a caller says to the answers on the operator's screen."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.orm import Session

from hotline.calls.models import Call
from hotline.errors import NotFound
from hotline.knowledge_base import service as knowledge
from hotline.knowledge_base.queries import suggestions_of_call
from hotline.knowledge_base.search import KnowledgeIndex, steady, window

SHOWN_AT_MOST: Final = 5
CHINA: Final = ZoneInfo("Asia/Shanghai")


def suggest_for(
    session: Session, index: KnowledgeIndex, call_id: int, heard: str, now: datetime, *, tz: tzinfo = CHINA
) -> bool:
    """Look up answers for what the caller said so far (``heard``: its end counts) and note them as shown.

    Returns whether the screen changes. When nothing fits, what stands there stays: people clear their throats. The
    dialled number's subjects narrow the search. ``tz`` decides which day it is for answers of limited validity.
    """
    call = session.get(Call, call_id)
    if call is None:
        raise NotFound("没有这通电话")
    index.refresh(session)
    subjects = call.number.subjects if call.number is not None else []
    hits = index.search(window([heard]), limit=SHOWN_AT_MOST, on=now.astimezone(tz).date(), subjects=subjects or None)
    if not hits:
        return False
    before = call.suggested
    leading = [hit for hit in hits if before and hit.entry_id == before[0]]
    hits = steady(leading, hits)
    words_before = {row.entry_id: list(row.matched) for row in suggestions_of_call(session, call_id)}
    shown = knowledge.show(session, call_id=call_id, hits=hits, now=now)
    ids = [row.entry_id for row in shown]
    if ids == before and all(list(row.matched) == words_before.get(row.entry_id) for row in shown):
        return False
    # beside the row's version: whoever changes the call's state now has nothing to do with this
    session.execute(update(Call).where(Call.id == call_id).values(suggested=ids))
    return True
