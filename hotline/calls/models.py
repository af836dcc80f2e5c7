"""Calls, their legs, what was heard, and the raw events every figure is recounted from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hotline.callers.models import Caller
from hotline.db import Base, Encrypted, UTCDateTime, only_if_known


class DialledNumber(Base):
    """A number people dial. All enter one queue; each has its own greeting, skill and knowledge subjects."""

    __tablename__ = "dialled_numbers"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    greeting: Mapped[str] = mapped_column(Text)  # greeting and recording notice, spoken first
    skill: Mapped[str] = mapped_column(String(40), default="")
    subjects: Mapped[list[str]] = mapped_column(JSON, default=list)  # knowledge categories preferred; empty: all
    hours: Mapped[list[str]] = mapped_column(JSON, default=list)  # local spans 08:30-12:00 of every day; empty: always
    closed: Mapped[str] = mapped_column(Text, default="")  # spoken outside the hours, before the call ends
    active: Mapped[bool] = mapped_column(default=True)


class Call(Base):
    """One call of a citizen. ``state`` only moves forward by rank (see ``states``).

    ``place_at`` is the place in the queue: the moment it entered, moved back by ``priority`` seconds. Waiting counts
    one second a second for everybody, so sorting by it is priority with ageing.
    """

    __tablename__ = "calls"
    # partial: a ringing call writes no entry for what it has not come to yet
    __table_args__ = (
        Index("ix_calls_queue", "state", "place_at", **only_if_known("place_at")),
        Index("ix_calls_operator_id", "operator_id", **only_if_known("operator_id")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(String(64), unique=True)
    dialled: Mapped[str] = mapped_column(String(20))  # as it was dialled, also when nobody set the number up
    number_id: Mapped[int | None] = mapped_column(ForeignKey("dialled_numbers.id"))
    caller_id: Mapped[int] = mapped_column(ForeignKey("callers.id"), index=True)
    state: Mapped[str] = mapped_column(String(12))
    skill: Mapped[str] = mapped_column(String(40), default="")
    priority: Mapped[int] = mapped_column(default=0)  # seconds of waiting credited in advance
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    queued_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    place_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closing_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # the operator ended it: thank, do not queue again
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    offered_to_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    outcome: Mapped[str] = mapped_column(String(20), default="")  # see states.Outcome
    suggested: Mapped[list[int]] = mapped_column(JSON, default=list)  # knowledge entries on the screen now, best first
    version: Mapped[int] = mapped_column(default=1)

    number: Mapped[DialledNumber | None] = relationship()
    caller: Mapped[Caller] = relationship()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads a plain dict


class CallLeg(Base):
    """One party's line in a call: the caller's, the operator's, a third party's. One inbound stream each."""

    __tablename__ = "call_legs"

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id"), index=True)
    track: Mapped[str] = mapped_column(String(10))  # caller, operator, third
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    provider_id: Mapped[str | None] = mapped_column(String(64), unique=True)  # None until the carrier answered
    state: Mapped[str] = mapped_column(String(12))  # planned, ringing, live, ended, failed
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    joined_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # in the conference with the caller
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    stream_started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    stream_ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    frames: Mapped[int] = mapped_column(default=0)
    frames_dropped: Mapped[int] = mapped_column(default=0)


class Utterance(Base):
    """Final words of one leg. Encrypted: people say names and numbers. ``key`` is made where they are heard: written
    once more after a commit whose outcome nobody learned, they are the same row."""

    __tablename__ = "utterances"
    __table_args__ = (Index("ix_utterances_call_id_start_ms", "call_id", "start_ms"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id"))
    leg_id: Mapped[int] = mapped_column(ForeignKey("call_legs.id"))
    key: Mapped[str] = mapped_column(String(32), unique=True)
    track: Mapped[str] = mapped_column(String(10))
    text: Mapped[str | None] = mapped_column(Encrypted)
    start_ms: Mapped[int]  # since the call started
    end_ms: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class QueueEvent(Base):
    """What happened to a call on its way to a person; raw, never changed."""

    __tablename__ = "queue_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))  # see states.QueueKind
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Presence(Base):
    """What an operator is doing now. One row a user; ``desk`` is the browser tab that holds the desk."""

    __tablename__ = "presences"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(10), index=True)
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    desk: Mapped[str] = mapped_column(String(32), default="")
    desk_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"))
    skills: Mapped[list[str]] = mapped_column(JSON, default=list)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class PresenceEvent(Base):
    """A change of an operator's state; raw, never changed."""

    __tablename__ = "presence_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    from_state: Mapped[str] = mapped_column(String(10))
    to_state: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"))
    reason: Mapped[str] = mapped_column(String(40), default="")


class WebhookReceipt(Base):
    """An answer already given to the carrier, so that a repeated webhook gets the same and changes nothing."""

    __tablename__ = "webhook_receipts"
    __table_args__ = (UniqueConstraint("key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
