"""Words people say for others, and local names: what is heard or typed as ``term`` is searched for as ``means``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotFound
from hotline.knowledge_base.language.spelling import folded
from hotline.knowledge_base.models import Change, Synonym
from hotline.knowledge_base.rows import checked
from hotline.knowledge_base.writing import hold_sequence

SUBJECT: Final = "kb_synonym"
LONGEST: Final = 40
SHORTEST: Final = 2  # a single sign stands in too many other words
LINES_AT_MOST: Final = 5_000
NAMES: Final = {"term": "说法", "means": "标准说法"}
PARTED: Final = re.compile(r"\s*(?:=>|->|[=＝→⇒\t])\s*")  # what stands between the two in a pasted line


@dataclass(slots=True)
class Pasted:
    """What became of pasted lines."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


# ---- reads


def meanings(session: Session) -> dict[str, str]:
    """Return what each term is searched for as, folded (see ``spelling.folded``) and followed to the end: of a=b and
    b=c both mean c."""
    known = _known(session)
    return {term: _way_of(known, term)[-1] for term in known}


def count(session: Session, text: str = "") -> int:
    """Return how many there are that hold these words."""
    return session.scalar(select(func.count()).select_from(Synonym).where(*_holding(text))) or 0


def page(session: Session, text: str = "", *, number: int, size: int) -> Sequence[Synonym]:
    """Return one page (from 1) of those that hold these words, by what they mean."""
    wanted = select(Synonym).where(*_holding(text)).order_by(Synonym.means, Synonym.term, Synonym.id)
    return session.scalars(wanted.offset((number - 1) * size).limit(size)).all()


def by_id(session: Session, synonym_id: int) -> Synonym:
    """Return one; raises ``NotFound``."""
    found = session.get(Synonym, synonym_id)
    if found is None:
        raise NotFound("没有这条用语，可能刚被删除")
    return found


def _holding(text: str) -> list[ColumnElement[bool]]:
    return (
        [or_(Synonym.term.contains(text, autoescape=True), Synonym.means.contains(text, autoescape=True))]
        if text
        else []
    )


# ---- verbs


def put(
    session: Session, *, actor: Actor, now: datetime, term: str, means: str, synonym_id: int | None = None
) -> Synonym:
    """Add one, or change one.

    Raises ``Invalid`` by field: empty, too short or long, the same twice, known already, or in a circle.
    """
    hold_sequence(session)
    known = _known(session)
    row = by_id(session, synonym_id) if synonym_id is not None else None
    if row is not None:
        known.pop(folded(row.term), None)
    term, means = _judged(known, term, means)
    return _write(session, row, term, means, actor=actor, now=now)


def remove(session: Session, *, actor: Actor, now: datetime, synonym_id: int) -> tuple[str, str]:
    """Take one away and return what it said."""
    hold_sequence(session)
    row = by_id(session, synonym_id)
    said = (row.term, row.means)
    audit.record(
        session,
        at=now,
        user_id=actor.user_id,
        act="remove",
        subject=SUBJECT,
        subject_id=row.term,
        before={"term": row.term, "means": row.means},
    )
    session.delete(row)
    _note(session, now)
    return said


def paste(session: Session, *, actor: Actor, now: datetime, text: str) -> Pasted:
    """Take in lines such as ``社保本=社保卡``; blank ones and such as begin with # are passed over.

    A term that is there already gets its new meaning. All or nothing: raises ``Invalid`` with ``refused``, triples of a
    line's number from 1, what it says, and why it cannot be taken.
    """
    numbered = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    numbered = [(number, line) for number, line in numbered if line and not line.startswith("#")]
    if not numbered:
        raise Invalid("请粘贴要添加的用语，每行一条", lines="请粘贴要添加的用语，每行一条")
    if len(numbered) > LINES_AT_MOST:
        raise Invalid(f"一次最多 {LINES_AT_MOST} 行", lines=f"一次最多 {LINES_AT_MOST} 行")
    hold_sequence(session)
    rows = {folded(row.term): row for row in session.scalars(select(Synonym))}
    known = {term: row.means for term, row in rows.items()}
    firsts: dict[str, int] = {}
    wanted: list[tuple[str, str]] = []
    refused: list[tuple[int, str, str]] = []
    for number, line in numbered:
        try:
            term, means = _of_line(line)
            if (first := firsts.setdefault(folded(term), number)) != number:
                raise Invalid(f"与第 {first} 行重复")
            before = known.pop(folded(term), None)
            try:
                term, means = _judged(known, term, means)
            except Invalid:
                if before is not None:
                    known[folded(term)] = before
                raise
        except Invalid as fault:
            refused.append((number, line[: 2 * LONGEST], fault.message))
        else:
            known[folded(term)] = means
            wanted.append((term, means))
    if refused:
        raise Invalid(f"有 {len(refused)} 行不能收下，请改好后再提交；现在一条都没有写入", refused=refused)
    result = Pasted()
    for term, means in wanted:
        row = rows.get(folded(term))
        if row is not None and row.means == means:
            result.unchanged += 1
            continue
        result.added, result.changed = result.added + (row is None), result.changed + (row is not None)
        _write(session, row, row.term if row is not None else term, means, actor=actor, now=now)
    return result


def _of_line(line: str) -> tuple[str, str]:
    parts = PARTED.split(line.strip())
    if len(parts) != 2:
        raise Invalid("应是“说法=标准说法”")
    return parts[0], parts[1]


def _known(session: Session) -> dict[str, str]:
    return {folded(row.term): row.means for row in session.execute(select(Synonym.term, Synonym.means))}


def _judged(known: Mapping[str, str], term: str, means: str) -> tuple[str, str]:
    """Return the two without blanks around them. ``known``: what every other term (folded) means."""
    faults: dict[str, str] = {}
    said = {"term": term, "means": means}
    for name, words in said.items():
        try:
            said[name] = checked(words, NAMES[name], LONGEST)
        except Invalid as fault:
            faults[name] = fault.message
            continue
        if not said[name]:
            faults[name] = f"请填写{NAMES[name]}"
        elif not folded(said[name]):
            faults[name] = f"{NAMES[name]}应是文字"
    if not faults:
        own, other = folded(said["term"]), folded(said["means"])
        if len(own) < SHORTEST:
            faults["term"] = "说法至少两个字，单字会误伤别的词"
        elif own in known:
            faults["term"] = f"“{said['term']}”已经有了：指“{known[own]}”"
        elif own == other:
            faults["means"] = "两边是同一个词"
        elif own in _way_of(known, other):
            faults["means"] = f"绕成了一圈：“{said['means']}”已经指向“{said['term']}”"
    if faults:
        raise Invalid(next(iter(faults.values())), **faults)
    return said["term"], said["means"]


def _way_of(known: Mapping[str, str], word: str) -> list[str]:
    """Follow a word through what words mean to the end; all folded, the word itself first."""
    way = [word]
    while (after := folded(known.get(way[-1], ""))) and after not in way:
        way.append(after)
    return way


def _write(session: Session, row: Synonym | None, term: str, means: str, *, actor: Actor, now: datetime) -> Synonym:
    before = None if row is None else {"term": row.term, "means": row.means}
    if row is None:
        row = Synonym()
        session.add(row)
    row.term, row.means = term, means
    after = {"term": term, "means": means}
    audit.changed(session, at=now, user_id=actor.user_id, subject=SUBJECT, subject_id=term, before=before, after=after)
    if before != after:
        _note(session, now)
    return row


def _note(session: Session, now: datetime) -> None:
    """Draw the next number of the change sequence: indexes then look at the synonyms again."""
    session.add(Change(entry_id=None, at=now))
    session.flush()
