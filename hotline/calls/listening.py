"""From what a caller says to the answers on the operator's screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.orm import Session

from hotline.calls.models import Call
from hotline.knowledge_base.floor import suggestions
from hotline.knowledge_base.search.hits import Hit, steady, window
from hotline.knowledge_base.search.index import KnowledgeIndex

SHOWN_AT_MOST: Final = 5
CHINA: Final = ZoneInfo("Asia/Shanghai")


class Suggester:
    """The answers to one call: looked up in memory at every few syllables, written only when the screen changes.

    ``subjects`` are the dialled number's and narrow the search; without any, everything is searched. ``area`` is the
    code of the county or township the call is about, empty while that is not known; it may become known later. ``tz``
    decides which day it is for answers of limited validity.
    """

    def __init__(
        self,
        index: KnowledgeIndex,
        call_id: int,
        subjects: Sequence[str] = (),
        *,
        area: str = "",
        tz: tzinfo = CHINA,
    ) -> None:
        self.call_id = call_id
        self.area = area
        self._index = index
        self._subjects = list(subjects)
        self._tz = tz
        self._standing: list[Hit] = []

    def look_up(self, heard: str, now: datetime) -> list[Hit]:
        """Return what should stand on the screen after these words (their end counts), best first.

        Nothing when that stands there already, and nothing when nothing fits: people clear their throats.
        """
        day = now.astimezone(self._tz).date()
        hits = self._index.search(
            window([heard]), limit=SHOWN_AT_MOST, on=day, area=self.area, subjects=self._subjects or None
        )
        hits = steady(self._standing, hits)
        return [] if _seen(hits) == _seen(self._standing) else hits

    def write(self, session: Session, hits: Sequence[Hit], now: datetime) -> None:
        """Note that these answers are on the operator's screen. Follow it with ``stand`` once it is committed."""
        shown = suggestions.show(session, call_id=self.call_id, hits=hits, now=now)
        # beside the row's version: whoever changes the call's state now has nothing to do with this
        ids = [row.entry_id for row in shown]
        session.execute(update(Call).where(Call.id == self.call_id).values(suggested=ids))

    def stand(self, hits: Sequence[Hit]) -> None:
        """Take it that these answers are what the operator sees."""
        self._standing = list(hits)


def _seen(hits: Sequence[Hit]) -> list[tuple[int, tuple[str, ...]]]:
    """Return what an operator can see of them; a score that moves a little is none of it."""
    return [(hit.entry_id, tuple(hit.matched)) for hit in hits]
