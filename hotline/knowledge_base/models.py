"""Knowledge: entries and their versions, the ways people ask for them, and what the floor makes of them.

What callers and operators said stands in ``Signal`` and ``Offer`` only: without numbers, encrypted, and with its call.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hotline.db import Base, Encrypted, UTCDateTime
from hotline.knowledge_base.states import EntryState, OfferState, SuggestionState, TaskState, VersionState

OPEN_VERSION = text("state IN ('draft', 'review')")


class Entry(Base):
    """One question with its answer: what was published last, or what was first drafted while nothing was.

    ``change_seq`` is the ``seq`` of its latest row in ``kb_changes``; ``version`` the number of the text it shows.
    """

    __tablename__ = "kb_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text, default="")
    spoken: Mapped[str] = mapped_column(String(200), default="")  # short form an operator can read out
    category: Mapped[str] = mapped_column(String(60), default="", index=True)
    owner_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    source: Mapped[str] = mapped_column(String(200), default="")  # the document it rests on
    source_url: Mapped[str] = mapped_column(String(500), default="")
    public: Mapped[bool] = mapped_column(default=True)  # also for the city's site, not only for operators
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]  # the last day it holds
    review_on: Mapped[date | None] = mapped_column(index=True)  # by then its owner says whether it still holds
    state: Mapped[str] = mapped_column(String(20), default=EntryState.DRAFT)
    version: Mapped[int] = mapped_column(default=0)
    change_seq: Mapped[int] = mapped_column(index=True, default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)

    similar: Mapped[list[SimilarQuestion]] = relationship(
        order_by="SimilarQuestion.id", cascade="all, delete-orphan", lazy="selectin"
    )
    areas: Mapped[list[EntryArea]] = relationship(
        order_by="EntryArea.area_code", cascade="all, delete-orphan", lazy="selectin"
    )


class EntryArea(Base):
    """An area an entry is limited to, by the code of a county or township; a county's code holds for its townships.

    An entry without any holds everywhere.
    """

    __tablename__ = "kb_entry_areas"

    entry_id: Mapped[int] = mapped_column(ForeignKey("kb_entries.id"), primary_key=True)
    area_code: Mapped[str] = mapped_column(String(12), primary_key=True)


class SimilarQuestion(Base):
    """Another way in which people ask for the same entry."""

    __tablename__ = "kb_similar_questions"

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("kb_entries.id"), index=True)
    text: Mapped[str] = mapped_column(Text)


class Change(Base):
    """One row per change of an entry, or of the synonyms (no entry).

    Sequence numbers become visible in rising order (see ``service``).
    """

    __tablename__ = "kb_changes"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy's own attribute

    seq: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("kb_entries.id"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class Synonym(Base):
    """A word people say for another one, or a local name: ``term`` is searched for as ``means``."""

    __tablename__ = "kb_synonyms"

    id: Mapped[int] = mapped_column(primary_key=True)
    term: Mapped[str] = mapped_column(String(40), unique=True)
    means: Mapped[str] = mapped_column(String(40))


class Version(Base):
    """One text of an entry on its way from draft to publication; ``content`` is a ``Content`` as JSON.

    An entry has at most one that is being written or checked. ``revision`` rises with every save, so that of two
    editors the second is told. ``origin`` is where a draft came from: the clause of a document, or a task.
    """

    __tablename__ = "kb_versions"
    __table_args__ = (
        UniqueConstraint("entry_id", "number"),
        Index("uq_kb_versions_open", "entry_id", unique=True, sqlite_where=OPEN_VERSION, postgresql_where=OPEN_VERSION),
        Index("ix_kb_versions_state", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("kb_entries.id"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), default=VersionState.DRAFT)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    origin: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    writers: Mapped[list[int]] = mapped_column(JSON, default=list)  # users who wrote in it; none of them may publish it
    note: Mapped[str] = mapped_column(String(500), default="")  # what changed, in the editor's words
    remark: Mapped[str] = mapped_column(String(500), default="")  # why it was sent back
    written_at: Mapped[datetime] = mapped_column(UTCDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    checked_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    checked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revision: Mapped[int] = mapped_column(default=1)

    entry: Mapped[Entry] = relationship()

    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012 - SQLAlchemy reads a plain dict


class Attachment(Base):
    """A file of an entry. Which version shows it stands in the version's content."""

    __tablename__ = "kb_attachments"

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("kb_entries.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    mime: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    body: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    added_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Review(Base):
    """The owner unit was asked whether an entry still holds. ``answer`` is empty until it said so."""

    __tablename__ = "kb_reviews"

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("kb_entries.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)  # None: the hub's own entry
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_on: Mapped[date] = mapped_column(index=True)
    answer: Mapped[str] = mapped_column(String(10), default="")  # see states.ReviewAnswer
    words: Mapped[str] = mapped_column(String(500), default="")
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    entry: Mapped[Entry] = relationship()


class Task(Base):
    """Something the floor misses or finds wrong: signals that are alike, together."""

    __tablename__ = "kb_tasks"
    __table_args__ = (Index("ix_kb_tasks_state_kind", "state", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))  # see states.SignalKind
    state: Mapped[str] = mapped_column(String(10), default=TaskState.OPEN)
    count: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_at: Mapped[datetime] = mapped_column(UTCDateTime)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("kb_entries.id"), index=True)  # what is wrong, or answers
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(String(200), default="")  # why it was dropped

    entry: Mapped[Entry | None] = relationship()
    signals: Mapped[list[Signal]] = relationship(back_populates="task", order_by="Signal.id")


class Signal(Base):
    """One time that knowledge failed somebody on the floor.

    ``text``: what was asked, ``told``: what the operator told without an entry, both without numbers (see ``scrub``).
    """

    __tablename__ = "kb_signals"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    text: Mapped[str | None] = mapped_column(Encrypted)
    told: Mapped[str | None] = mapped_column(Encrypted)
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"), index=True)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("kb_entries.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    task_id: Mapped[int | None] = mapped_column(ForeignKey("kb_tasks.id"), index=True)

    task: Mapped[Task | None] = relationship(back_populates="signals")


class Offer(Base):
    """Words that were answered by an entry, offered as another way to ask for it."""

    __tablename__ = "kb_offers"
    __table_args__ = (UniqueConstraint("call_id", "entry_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("kb_entries.id"), index=True)
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"))
    text: Mapped[str | None] = mapped_column(Encrypted)
    state: Mapped[str] = mapped_column(String(10), default=OfferState.OFFERED, index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    entry: Mapped[Entry] = relationship()


class Suggestion(Base):
    """An entry that was shown in a call, and what the operator made of it.

    ``matched`` holds only words that stand in the entry itself: nothing else of what was said is kept here.
    """

    __tablename__ = "kb_suggestions"
    __table_args__ = (
        UniqueConstraint("call_id", "entry_id"),
        Index("ix_kb_suggestions_entry_id_state", "entry_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("kb_entries.id"))
    score: Mapped[float]
    matched: Mapped[list[str]] = mapped_column(JSON, default=list)
    first_rank: Mapped[int]  # 1 is the top of the list
    shown_at: Mapped[datetime] = mapped_column(UTCDateTime)  # when it first appeared
    state: Mapped[str] = mapped_column(String(20), default=SuggestionState.SHOWN)
    marked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    marked_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    entry: Mapped[Entry] = relationship()
