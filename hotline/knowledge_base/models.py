"""Knowledge: entries, the ways people ask for them, and what was suggested in a call. No personal data here."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hotline.db import Base, UTCDateTime
from hotline.knowledge_base.states import EntryState, SuggestionState


class Entry(Base):
    """One question with its answer. ``change_seq`` is the ``seq`` of its latest row in ``kb_changes``."""

    __tablename__ = "kb_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text, default="")
    spoken: Mapped[str] = mapped_column(String(200), default="")  # short form an operator can read out
    category: Mapped[str] = mapped_column(String(60), default="", index=True)
    owner_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    source: Mapped[str] = mapped_column(String(200), default="")
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]  # the last day it holds
    state: Mapped[str] = mapped_column(String(20), default=EntryState.DRAFT)
    change_seq: Mapped[int] = mapped_column(index=True, default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)

    similar: Mapped[list[SimilarQuestion]] = relationship(
        order_by="SimilarQuestion.id", cascade="all, delete-orphan", lazy="selectin"
    )


class SimilarQuestion(Base):
    """Another way in which people ask for the same entry."""

    __tablename__ = "kb_similar_questions"

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("kb_entries.id"), index=True)
    text: Mapped[str] = mapped_column(Text)


class Change(Base):
    """One row per change of an entry. Sequence numbers become visible in rising order (see ``service``)."""

    __tablename__ = "kb_changes"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy's own attribute

    seq: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("kb_entries.id"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


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
