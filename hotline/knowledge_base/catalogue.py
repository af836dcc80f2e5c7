"""What editors look through: every entry in whatever state, with the text that is being written, and who did what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, and_, case, cast, func, literal, not_, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from hotline.knowledge_base.differences import Names
from hotline.knowledge_base.editing import OPEN
from hotline.knowledge_base.models import Attachment, Entry, Offer, Signal, SimilarQuestion, Suggestion, Task, Version
from hotline.knowledge_base.states import EntryState, SignalKind, SuggestionState, TaskState, VersionState
from hotline.units.models import Unit

PER_PAGE: Final = 30
TO_CHECK: Final = 100  # texts on one page of those that wait
ENDING: Final = timedelta(days=30)  # an entry that ends sooner has to be looked at
DRAFTS_AT_MOST: Final = 2_000  # open texts looked through for one that is alike


class Show(StrEnum):
    """What a list can be limited to."""

    ALL = ""
    PUBLISHED = "published"
    MINE = "mine"
    DRAFT = "draft"
    REVIEW = "review"
    ENDING = "ending"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"
    DROPPED = "dropped"  # begun and given up before it was ever published


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for. ``found``: ids the index knows to fit ``text``, best first; ``today``: the city's."""

    today: date
    user_id: int
    text: str = ""
    category: str = ""
    show: Show = Show.ALL
    found: Sequence[int] = ()
    page: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list: an entry and the text that is being written or checked, if any."""

    entry: Entry
    open: Version | None


@dataclass(frozen=True, slots=True)
class Usage:
    """What operators made of an entry in calls."""

    shown: int = 0
    used: int = 0
    wrong: int = 0
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody asked, without numbers, and whether no entry answered it then."""

    text: str
    at: datetime
    missed: bool


@dataclass(frozen=True, slots=True)
class Area:
    """A county or a township; ``parts`` are a county's townships."""

    code: str
    name: str
    parts: list[Area]


def lines(session: Session, wanted: Wanted) -> list[Line]:
    """Return one page: what fits the text best first, then the latest changes first; of what ends, the soonest."""
    order: list[Any] = []
    if wanted.found:
        ranks = {entry_id: rank for rank, entry_id in enumerate(wanted.found)}
        order.append(case(ranks, value=Entry.id, else_=len(ranks)))
    if wanted.show in (Show.ENDING, Show.ENDED):
        order.append(Entry.valid_to)
    chosen = (
        _matching(select(Entry.id, Version.id), wanted)
        .where(_shown(wanted.show, wanted))
        .order_by(*order, func.coalesce(Version.written_at, Entry.updated_at).desc(), Entry.id.desc())
        .limit(PER_PAGE)
        .offset(PER_PAGE * (wanted.page - 1))
    )
    ids = [(entry_id, version_id) for entry_id, version_id in session.execute(chosen)]  # sorted without their texts
    entries = {one.id: one for one in session.scalars(select(Entry).where(Entry.id.in_([one for one, _ in ids])))}
    texts = {one.id: one for one in session.scalars(select(Version).where(Version.id.in_([one for _, one in ids])))}
    return [Line(entries[entry_id], texts.get(version_id)) for entry_id, version_id in ids]


def counts(session: Session, wanted: Wanted) -> dict[Show, int]:
    """Return how many fit the text and category under each limit, in one reading."""
    each = [func.coalesce(func.sum(case((_shown(show, wanted), 1), else_=0)), 0) for show in Show]
    row = session.execute(_matching(select(*each).select_from(Entry), wanted)).one()
    return dict(zip(Show, map(int, row), strict=True))


def owners(session: Session, found: Sequence[Line]) -> dict[int, str]:
    """Return the names of the units that own these entries, by id."""
    wanted = {line.entry.owner_unit_id for line in found}
    return {row.id: row.name for row in session.execute(select(Unit.id, Unit.name).where(Unit.id.in_(wanted)))}


def categories(session: Session) -> list[str]:
    """Return every category entries have, by name."""
    return list(session.scalars(select(Entry.category).where(Entry.category != "").distinct().order_by(Entry.category)))


def to_check(session: Session, *, page: int = 1) -> list[Version]:
    """Return one page of the texts that wait to be checked with their entries, the longest waiting first."""
    wanted = select(Version).where(Version.state == VersionState.REVIEW).options(joinedload(Version.entry))
    turn = wanted.order_by(Version.submitted_at, Version.id).limit(TO_CHECK).offset(TO_CHECK * (page - 1))
    return list(session.scalars(turn))


def queue_to_check(session: Session, *, besides_of: int | None = None) -> list[int]:
    """Return the ids of the texts that wait to be checked in their order; without those this user wrote in."""
    wanted = select(Version.id).where(Version.state == VersionState.REVIEW)
    if besides_of is not None:
        wanted = wanted.where(not_(_written_by(besides_of)))
    return list(session.scalars(wanted.order_by(Version.submitted_at, Version.id)))


def count_to_check(session: Session) -> int:
    """Return how many texts wait to be checked."""
    return session.scalar(select(func.count()).where(Version.state == VersionState.REVIEW)) or 0


def versions(session: Session, entry: Entry) -> list[Version]:
    """Return the texts of an entry, the latest first."""
    return list(session.scalars(select(Version).where(Version.entry_id == entry.id).order_by(Version.number.desc())))


def version_before(session: Session, version: Version) -> Version | None:
    """Return what operators were shown before this text; of one that is still written or checked, what they see now."""
    shown = select(Version).where(Version.entry_id == version.entry_id, Version.id != version.id)
    if version.state in OPEN:  # an import may have come in between, with a higher number
        return session.scalar(shown.where(Version.state == VersionState.PUBLISHED))
    at = version.checked_at or version.written_at
    earlier = or_(Version.checked_at < at, and_(Version.checked_at == at, Version.number < version.number))
    shown = shown.where(Version.state.in_((VersionState.PUBLISHED, VersionState.SUPERSEDED)), earlier)
    return session.scalar(shown.order_by(Version.checked_at.desc(), Version.number.desc()).limit(1))


def attachments(session: Session, ids: Sequence[int]) -> list[Attachment]:
    """Return these files without their bytes, in the order of ``ids``; ids without a file are left out."""
    known = {one.id: one for one in session.scalars(select(Attachment).where(Attachment.id.in_(ids)))} if ids else {}
    return [known[number] for number in ids if number in known]


def areas(session: Session) -> list[Area]:
    """Return the areas an entry may be limited to, those within another one under it, by code."""
    known = names(session).areas
    found: list[Area] = []
    for code in sorted(known):
        if found and code.startswith(found[-1].code):
            found[-1].parts.append(Area(code, known[code], []))
        else:
            found.append(Area(code, known[code], []))
    return found


def names(session: Session, entry_id: int | None = None) -> Names:
    """Return how units and areas are called, and the files of an entry."""
    rows = session.execute(
        select(Unit.code, Unit.name, Unit.area_code).order_by(Unit.tier.desc(), Unit.id.desc())
    ).all()
    files = select(Attachment.id, Attachment.name).where(Attachment.entry_id == entry_id)
    return Names(
        {row.code: row.name for row in rows},
        {row.area_code: row.name for row in rows if row.area_code},  # of an area's several units the highest stands
        {row.id: row.name for row in session.execute(files)} if entry_id else {},
    )


def usage(session: Session, entry: Entry) -> Usage:
    """Return how often an entry was shown, given, and marked as wrong."""
    wanted = (
        select(Suggestion.state, func.count(), func.max(Suggestion.marked_at))
        .where(Suggestion.entry_id == entry.id)
        .group_by(Suggestion.state)
    )
    found = {state: (number, at) for state, number, at in session.execute(wanted)}
    used, last = found.get(SuggestionState.USED, (0, None))
    wrong, _ = found.get(SuggestionState.WRONG, (0, None))
    return Usage(sum(number for number, _ in found.values()), used, wrong, last)


def said_against(session: Session, entry_id: int) -> list[Task]:
    """Return the open tasks about an entry (found wrong, or its owner wants it changed), the latest first."""
    wanted = select(Task).where(Task.entry_id == entry_id, Task.kind.in_((SignalKind.WRONG, SignalKind.REVIEW)))
    still = wanted.where(Task.state.in_((TaskState.OPEN, TaskState.STARTED))).options(selectinload(Task.signals))
    return list(session.scalars(still.order_by(Task.last_at.desc())))


def drafts_about(session: Session, *, besides: int) -> list[tuple[Version, Entry]]:
    """Return the texts being written or checked now, the latest first, without those of the entry ``besides``."""
    wanted = select(Version, Entry).join(Entry).where(Version.state.in_(OPEN), Entry.id != besides)
    return [
        (version, entry)
        for version, entry in session.execute(wanted.order_by(Version.written_at.desc()).limit(DRAFTS_AT_MOST))
    ]


def heard(session: Session, *, since: datetime, limit: int) -> list[Heard]:
    """Return what was asked lately, the newest first: what found no answer, and what an entry did answer.

    Kept without numbers and without whose it was; no call is named.
    """
    missed = select(Signal.text, Signal.at).where(Signal.at >= since, Signal.text.is_not(None))
    answered = select(Offer.text, Offer.at).where(Offer.at >= since, Offer.text.is_not(None))
    rows = [Heard(text or "", at, True) for text, at in session.execute(missed.order_by(Signal.id.desc()).limit(limit))]
    rows += [
        Heard(text or "", at, False) for text, at in session.execute(answered.order_by(Offer.id.desc()).limit(limit))
    ]
    return sorted(rows, key=lambda one: one.at, reverse=True)[:limit]


def _matching(chosen: Any, wanted: Wanted) -> Any:
    """Limit a select of entries to text and category, each with its open text beside it."""
    beside = and_(Version.entry_id == Entry.id, Version.state.in_(OPEN))
    chosen = chosen.outerjoin(Version, beside)
    if wanted.category:
        chosen = chosen.where(Entry.category == wanted.category)
    if wanted.text:
        said = select(SimilarQuestion.entry_id).where(SimilarQuestion.text.contains(wanted.text, autoescape=True))
        columns = (Entry.code, Entry.question, Entry.answer, Entry.category, Entry.source)
        holds = [column.contains(wanted.text, autoescape=True) for column in columns]
        chosen = chosen.where(or_(*holds, Entry.id.in_(said), Entry.id.in_(wanted.found)))
    return chosen


def _shown(show: Show, wanted: Wanted) -> ColumnElement[bool]:
    published = Entry.state == EntryState.PUBLISHED
    dropped = and_(Entry.state == EntryState.DRAFT, Version.id.is_(None))
    limits: dict[Show, ColumnElement[bool]] = {
        Show.ALL: not_(dropped),
        Show.PUBLISHED: published,
        Show.MINE: _written_by(wanted.user_id),
        Show.DRAFT: Version.state == VersionState.DRAFT,
        Show.REVIEW: Version.state == VersionState.REVIEW,
        Show.ENDING: and_(published, Entry.valid_to >= wanted.today, Entry.valid_to <= wanted.today + ENDING),
        Show.ENDED: and_(published, Entry.valid_to < wanted.today),
        Show.WITHDRAWN: Entry.state == EntryState.WITHDRAWN,
        Show.DROPPED: dropped,
    }
    return limits[show]


def _written_by(user_id: int) -> ColumnElement[bool]:
    """Pass open texts in which this user wrote; their ids are a short JSON list, the same text on both databases."""
    ids: ColumnElement[str] = cast(Version.writers, Text)
    for sign in "[] ":
        ids = func.replace(ids, sign, "")
    return literal(",").concat(ids).concat(",").contains(f",{user_id},")
