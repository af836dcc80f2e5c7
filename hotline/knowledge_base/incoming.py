"""Texts that come in by the file: many at once, drafts or ready to be checked, never published by who brought them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.errors import NotAllowedNow
from hotline.knowledge_base import writing
from hotline.knowledge_base.content import Content
from hotline.knowledge_base.editing import OPEN
from hotline.knowledge_base.models import Entry, Version
from hotline.knowledge_base.states import VERSION, EntryState, VersionAction, VersionState


@dataclass(frozen=True, slots=True)
class Text:
    """One text for the entry of that code. ``origin`` tells what it was taken from."""

    code: str
    content: Content
    note: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an entry stands: the text it shows, that last begun, and that being written or checked, if there is any."""

    entry: Entry
    shown: Content
    last: Version | None
    open: Version | None


def standing(session: Session, codes: Sequence[str]) -> dict[str, Standing]:
    """Return the entries of these codes, by code; two queries for any number of them."""
    entries = session.scalars(select(Entry).where(Entry.code.in_(codes))).all()
    ids = [entry.id for entry in entries]
    last = select(func.max(Version.id)).where(Version.entry_id.in_(ids)).group_by(Version.entry_id)
    numbered = select(Version.id).join(Entry, Entry.id == Version.entry_id).where(Version.number == Entry.version)
    versions = session.scalars(
        select(Version).where(
            Version.entry_id.in_(ids),
            Version.id.in_(last) | Version.id.in_(numbered) | Version.state.in_(OPEN),
        )
    ).all()
    by_entry: dict[int, list[Version]] = {}
    for one in versions:
        by_entry.setdefault(one.entry_id, []).append(one)
    known = writing.Known.of(session)
    found = {}
    for entry in entries:
        mine = by_entry.get(entry.id, [])
        shown = next((one for one in mine if one.number == entry.version), None)
        found[entry.code] = Standing(
            entry,
            Content.of(shown.content) if shown else known.content_of(entry),
            max(mine, key=lambda one: one.number, default=None),
            next((one for one in mine if one.state in OPEN), None),
        )
    return found


def is_of(version: Version, user_id: int | None) -> bool:
    """Whether nobody else wrote in a text."""
    return set(version.writers) <= {user_id}


def bring(session: Session, texts: Sequence[Text], *, actor: Actor, now: datetime, submit: bool) -> None:
    """Make each a draft, or (``submit``) a text to be checked: of a new entry, or the next one of a known entry.

    What the same person has open of an entry is written anew. Raises ``NotAllowedNow`` where somebody else has.
    """
    known = writing.Known.of(session)
    there = standing(session, [text.code for text in texts])
    state = VERSION[VersionState.DRAFT, VersionAction.SUBMIT if submit else VersionAction.SAVE]
    entries = {text.code: _entry(session, text, there, known, now) for text in texts}
    session.flush()
    for text in texts:
        before = there.get(text.code)
        version = before.open if before else None
        if version is None:
            number = before.last.number + 1 if before and before.last else 1
            version = Version(entry_id=entries[text.code].id, number=number, writers=[])
            session.add(version)
        elif not is_of(version, actor.user_id):
            raise NotAllowedNow(f"同事正在编辑“{text.content.question[:40]}”，没有写入任何数据")
        version.state = state
        version.content = text.content.as_json()
        version.origin = dict(text.origin)
        version.writers = [actor.user_id] if actor.user_id else []
        version.note = text.note
        version.remark = ""
        version.written_at = now
        version.submitted_at = now if submit else None
    session.flush()


def _entry(session: Session, text: Text, there: Mapping[str, Standing], known: writing.Known, now: datetime) -> Entry:
    before = there.get(text.code)
    entry = before.entry if before else Entry(code=text.code, state=EntryState.DRAFT, created_at=now)
    if entry.state == EntryState.DRAFT:  # lists show what it will be about
        writing.fill(entry, text.content, known)
        entry.updated_at = now
    if before is None:
        session.add(entry)
    return entry
