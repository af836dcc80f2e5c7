"""What the demo city's operators have used, marked and missed in the last weeks, so that editors find it at work.

Everything is done by the verbs of the pages, at the moments it would have happened. Nobody in particular called.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.service import Actor, actor_of
from hotline.calls import service as calls
from hotline.calls.models import Call
from hotline.calls.states import Outcome
from hotline.knowledge_base import editing, tasks
from hotline.knowledge_base.floor import learning, suggestions
from hotline.knowledge_base.models import Entry, Suggestion, Task
from hotline.knowledge_base.states import SignalKind

OPERATOR: Final = "op01"
WRITER: Final = "kbe01"
CHECKER: Final = "kbe02"
WEEKS: Final = 8
AGE: Final = timedelta(days=120)  # how long the entries have been there
BESIDE: Final = 2  # other answers shown with the one that was asked for


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer as it stood on the screen."""

    entry_id: int
    score: float
    matched: Sequence[str] = ()


def seed(session: Session, path: Path, *, now: datetime) -> int:
    """Write the weeks before ``now`` as the file tells them; returns how many calls it took."""
    weeks = Weeks(session, now)
    told = json.loads(path.read_text(encoding="utf-8"))
    for code, times in told["asked"].items():
        weeks.answered(code, times, told["said"].get(code, []))
    for one in told["wrong"]:
        weeks.wrong(**one)
    for kind in (SignalKind.NO_ENTRY, SignalKind.NO_RESULT):
        for one in told[kind]:
            weeks.missed(kind, **one)
    learning.group(session, now=now)
    return weeks.calls


class Weeks:
    """Writes the weeks before now. The same every time."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now
        self._chance = random.Random("hengshui")  # noqa: S311 - a story, not a secret
        self._entries = {entry.code: entry for entry in session.scalars(select(Entry))}
        self._operator = self._person(OPERATOR)
        self.calls = 0
        session.execute(update(Entry).values(created_at=now - AGE, updated_at=now - AGE))

    def answered(self, code: str, times: int, said: list[str]) -> None:
        """Let as many callers ask for an entry; most are given it, a few in words of their own."""
        for time in range(times):
            ago = timedelta(days=self._chance.randint(1, WEEKS * 7 - 1), minutes=self._chance.randint(-300, 120))
            call, row = self._shown(code, self._now - ago)
            if time < len(said) or self._chance.random() < 1 - ago / timedelta(weeks=WEEKS) / 2:
                self._mark(suggestions.mark_used, call, row, said[time : time + 1])

    def wrong(self, entry: str, said: str, days: float, fixed_after_hours: float | None = None) -> None:
        """Let an answer be marked as wrong, and perhaps be written anew."""
        call, row = self._shown(entry, self._now - timedelta(days=days))
        self._mark(suggestions.mark_wrong, call, row, [said])
        if fixed_after_hours is not None:
            self._fix(entry, row.shown_at + timedelta(hours=fixed_after_hours))

    def missed(self, kind: SignalKind, said: str, days: float, told: str = "") -> None:
        """Let an operator look for something that is not there."""
        at = self._now - timedelta(days=days)
        call = self._call(at)
        tasks.note(
            self._session, kind=kind, text=said, told=told, call_id=call.id, user_id=self._operator.user_id, now=at
        )

    def _shown(self, code: str, at: datetime) -> tuple[Call, Suggestion]:
        """A call in which this entry stood first on the screen, and a few others below."""
        others = self._chance.sample(sorted(self._entries.keys() - {code}), BESIDE)
        hits = [
            Shown(self._entries[one].id, round(self._chance.uniform(0.9, 0.98) - 0.2 * place, 2))
            for place, one in enumerate((code, *others))
        ]
        call = self._call(at)
        return call, suggestions.show(self._session, call_id=call.id, hits=hits, now=at)[0]

    def _call(self, at: datetime) -> Call:
        self.calls += 1
        line = f"CA-the-weeks-before-{self.calls:04}"
        opened = calls.open_call(self._session, provider_id=line, dialled="12345", phone=None, now=at)
        call = self._session.get_one(Call, opened.call_id)
        call.outcome = Outcome.ANSWERED_ON_SPOT
        calls.caller_gone(self._session, provider_id=line, now=at + timedelta(minutes=2))
        return call

    def _mark(self, verb: Any, call: Call, row: Suggestion, said: list[str]) -> None:
        at = row.shown_at + timedelta(seconds=40)
        verb(
            self._session,
            suggestion_id=row.id,
            call_id=call.id,
            actor_id=self._operator.user_id,
            now=at,
            said=said,
        )

    def _fix(self, code: str, at: datetime) -> None:
        """Let one editor write the entry anew and another publish it."""
        session, writer, checker = self._session, self._person(WRITER), self._person(CHECKER)
        about = select(Task.id).where(Task.entry_id == self._entries[code].id, Task.kind == SignalKind.WRONG)
        version = learning.draft(session, task_id=session.scalars(about).one(), actor=writer, now=at)
        at += timedelta(minutes=20)
        version = editing.submit(session, actor=writer, now=at, version_id=version.id, revision=version.revision)
        at += timedelta(minutes=30)
        editing.publish(
            session, actor=checker, now=at, today=at.date(), version_id=version.id, revision=version.revision
        )

    def _person(self, username: str) -> Actor:
        return actor_of(self._session.scalars(select(User).where(User.username == username)).one())
