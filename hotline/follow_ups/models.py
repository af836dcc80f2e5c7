"""Callbacks to citizens and what they say of the result."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hotline.db import Base, Encrypted, UTCDateTime


class Callback(Base):
    """The duty to ask one citizen about one result. One per order and round; a redo opens the next round."""

    __tablename__ = "callbacks"
    __table_args__ = (UniqueConstraint("order_id", "round"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"))
    round: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), index=True)  # waiting, taken, done, ...
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    next_try_at: Mapped[datetime] = mapped_column(UTCDateTime)
    officer_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    taken_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    attempts: Mapped[list[Attempt]] = relationship(back_populates="callback", order_by="Attempt.id")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class Attempt(Base):
    """One try to reach the citizen. ``way``: person, keypad, sms."""

    __tablename__ = "callback_attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    callback_id: Mapped[int] = mapped_column(ForeignKey("callbacks.id"), index=True)
    way: Mapped[str] = mapped_column(String(8))
    officer_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(12))  # planned, ringing, connected, ended, no_answer, failed
    answer: Mapped[str] = mapped_column(String(16), default="")  # what a key or an SMS said, until a person asks why
    citizen_provider_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    officer_provider_id: Mapped[str | None] = mapped_column(String(64), unique=True)

    callback: Mapped[Callback] = relationship(back_populates="attempts")


class Evaluation(Base):
    """What the citizen said. Never changed: a later round adds a row."""

    __tablename__ = "evaluations"
    __table_args__ = (UniqueConstraint("callback_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    callback_id: Mapped[int] = mapped_column(ForeignKey("callbacks.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"), index=True)
    round: Mapped[int]
    way: Mapped[str] = mapped_column(String(8))
    satisfaction: Mapped[str] = mapped_column(String(16))  # satisfied, fair, dissatisfied, none
    solved: Mapped[str] = mapped_column(String(12))  # yes, partly, no, impossible, "" when not asked
    contacted: Mapped[bool | None]  # did the unit contact you? None: not asked
    reasons: Mapped[list[str]] = mapped_column(JSON, default=list)
    comment: Mapped[str | None] = mapped_column(Encrypted)
    officer_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
