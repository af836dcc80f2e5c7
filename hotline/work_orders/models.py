"""One order, a sub-order per unit, and the chain of events that tells its life."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import DDL, JSON, ForeignKey, Index, String, Text, UniqueConstraint, event, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hotline.assets.models import Asset
from hotline.callers.models import Caller
from hotline.db import Base, Encrypted, EncryptedBytes, EncryptedJSON, UTCDateTime
from hotline.units.models import Unit
from hotline.work_orders.states import PAUSED


def _only(rows: str) -> dict[str, Any]:
    """Return what makes an index hold nothing but these rows."""
    return {"postgresql_where": text(rows), "sqlite_where": text(rows)}


class WorkOrder(Base):
    """A demand on its way to an answer. ``status`` changes only through ``service`` by the table in ``states``.

    Personal fields stand in ``callers`` or are encrypted here; ``content`` is read by the units that hold the order.
    """

    __tablename__ = "work_orders"
    __table_args__ = (
        # of a million orders the timers and the supervisors' board only touch the open ones
        # what may tell of the same matter: of one kind, or of one township, the newest first
        Index("ix_work_orders_category_code_submitted_at", "category_code", "submitted_at"),
        Index("ix_work_orders_area_code_submitted_at", "area_code", "submitted_at"),
        Index("ix_work_orders_watch_at", "watch_at", **_only("watch_at IS NOT NULL")),
        Index("ix_work_orders_supervision_open", "supervision", "deadline_at", **_only("closed_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_no: Mapped[str] = mapped_column(String(16), unique=True)  # 2611-00042-7
    receipt_code: Mapped[str | None] = mapped_column(Encrypted)
    status: Mapped[str] = mapped_column(String(20), index=True)
    source_channel: Mapped[str] = mapped_column(String(10), default="电话")
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"), index=True)
    caller_id: Mapped[int | None] = mapped_column(ForeignKey("callers.id"), index=True)
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    assisted: Mapped[bool] = mapped_column(default=False)
    confidential: Mapped[bool] = mapped_column(default=False)
    caller_kind: Mapped[str] = mapped_column(String(10), default="个人")
    read_back_ok: Mapped[bool] = mapped_column(default=False)
    callback_wanted: Mapped[bool] = mapped_column(default=True)

    demand_type: Mapped[str] = mapped_column(String(12), default="help")
    category_code: Mapped[str] = mapped_column(String(20), default="")
    urgency: Mapped[str] = mapped_column(String(10), default="normal")  # normal, urgent, critical (一般 紧急 特急)
    hard: Mapped[bool] = mapped_column(default=False)  # 疑难: the longest limit
    title: Mapped[str] = mapped_column(String(120), default="")
    content: Mapped[str] = mapped_column(Text, default="")
    desired_result: Mapped[str] = mapped_column(Text, default="")
    area_code: Mapped[str] = mapped_column(String(12), default="")
    address: Mapped[str] = mapped_column(String(200), default="")
    event_time: Mapped[str] = mapped_column(String(60), default="")  # in the caller's words: 两天前
    accused_name: Mapped[str | None] = mapped_column(Encrypted)
    accused_phone: Mapped[str | None] = mapped_column(Encrypted)
    touched: Mapped[list[str]] = mapped_column(JSON, default=list)  # draft fields a person typed: never refilled
    answer_entry_id: Mapped[int | None] = mapped_column(ForeignKey("kb_entries.id"))
    no_entry_reason: Mapped[str] = mapped_column(String(200), default="")

    profile: Mapped[str] = mapped_column(String(40), default="hebei-default")
    clock_started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    deadline_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    original_deadline_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    deadline_provisional: Mapped[bool] = mapped_column(default=False)
    step_due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # of the present step: sign, check, callback

    lead_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    responsibility_line_id: Mapped[int | None] = mapped_column(ForeignKey("responsibility_lines.id"))
    dispatch_advice: Mapped[str] = mapped_column(Text, default="")
    dispatched_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    first_dispatched_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    dispatch_count: Mapped[int] = mapped_column(default=0)
    return_count: Mapped[int] = mapped_column(default=0)
    redo_count: Mapped[int] = mapped_column(default=0)
    review_count: Mapped[int] = mapped_column(default=0)
    urge_count: Mapped[int] = mapped_column(default=0)
    returnable: Mapped[bool] = mapped_column(default=True)
    first_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))  # 首接: the first that led
    joint: Mapped[bool] = mapped_column(default=False)  # several units, one named lead
    supervision: Mapped[str] = mapped_column(String(10), default="none")  # see states.Supervision
    extension: Mapped[str] = mapped_column(String(10), default="none")  # see states.Overlay
    extension_count: Mapped[int] = mapped_column(default=0)  # granted
    claim: Mapped[str] = mapped_column(String(10), default="none")  # of an unreasonable demand
    appeal: Mapped[str] = mapped_column(String(10), default="none")
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("work_orders.id"), index=True)
    sensitive_kind: Mapped[str] = mapped_column(String(12), default="")  # see states.SensitiveKind
    released_content: Mapped[str | None] = mapped_column(Text)  # of a confidential order: what units read instead
    leader_note: Mapped[bool] = mapped_column(default=False)  # 批示: a leader has written on it
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("assets.id"), index=True)  # 部件 it is about
    households: Mapped[int] = mapped_column(default=0)  # of a batch order: how many one report is for
    watch_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # when the timers look at it next; None: never
    appeal_until: Mapped[datetime | None] = mapped_column(UTCDateTime)  # later its score stands

    first_satisfaction: Mapped[str] = mapped_column(String(16), default="")
    final_satisfaction: Mapped[str] = mapped_column(String(16), default="")
    final_solved: Mapped[str] = mapped_column(String(16), default="")
    close_kind: Mapped[str] = mapped_column(String(24), default="")  # evaluated, not_reached, ...
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    event_count: Mapped[int] = mapped_column(default=0)  # length and head of the chain: a cut-off tail shows
    head_hash: Mapped[str] = mapped_column(String(64), default="")
    version: Mapped[int] = mapped_column(default=1)

    caller: Mapped[Caller | None] = relationship()
    lead_unit: Mapped[Unit | None] = relationship(foreign_keys=[lead_unit_id])
    sub_orders: Mapped[list[SubOrder]] = relationship(back_populates="order", order_by="SubOrder.id")
    events: Mapped[list[OrderEvent]] = relationship(back_populates="order", order_by="OrderEvent.seq")
    spans: Mapped[list[HolderSpan]] = relationship(back_populates="order", order_by="HolderSpan.id")
    requests: Mapped[list[OrderRequest]] = relationship(back_populates="order", order_by="OrderRequest.id")
    notices: Mapped[list[Notice]] = relationship(back_populates="order", order_by="Notice.id")
    files: Mapped[list[OrderFile]] = relationship(back_populates="order", order_by="OrderFile.id")
    asset: Mapped[Asset | None] = relationship()
    merged_into: Mapped[WorkOrder | None] = relationship(remote_side=[id])

    @property
    def paused(self) -> bool:
        """Whether its clock stands still: it waits for its caller, or was suspended."""
        return self.status in PAUSED

    @property
    def round(self) -> int:
        """Which handling the order is in: 1, and one more for each redo and each review that reopened it."""
        return self.redo_count + self.review_count + 1

    @property
    def asset_code(self) -> str:
        """The number of the asset it is about, empty when it is about none."""
        return self.asset.code if self.asset is not None else ""

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


# what ``finding`` searches by on PostgreSQL: every two neighbouring characters of title and place
_PAIRS = """
CREATE OR REPLACE FUNCTION hotline_pairs(words text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT substr(words, at, 2)), '{}')
    FROM generate_series(1, greatest(length(words) - 1, 0)) AS at
$$
"""
_PAIRS_INDEX = "CREATE INDEX ix_work_orders_pairs ON work_orders USING gin (hotline_pairs(title || ' ' || address))"
for _statement in (_PAIRS, _PAIRS_INDEX):
    event.listen(WorkOrder.__table__, "after_create", DDL(_statement).execute_if(dialect="postgresql"))


class SubOrder(Base):
    """What one unit has to do for an order. Tier is a number; a tier-3 sub-order hangs under its tier-2 one."""

    __tablename__ = "sub_orders"
    __table_args__ = (Index("ix_sub_orders_unit_id_state_closed_at", "unit_id", "state", "closed_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("sub_orders.id"))
    tier: Mapped[int]
    part: Mapped[str] = mapped_column(String(10))  # lead, assisting
    state: Mapped[str] = mapped_column(String(12))  # see states.SubState
    assigned_at: Mapped[datetime] = mapped_column(UTCDateTime)
    sign_due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    deadline_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    signed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    signer_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reported_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    advice: Mapped[str] = mapped_column(Text, default="")
    returnable: Mapped[bool] = mapped_column(default=True)
    return_until: Mapped[datetime | None] = mapped_column(UTCDateTime)  # later it must be handled
    before_return: Mapped[str] = mapped_column(String(12), default="")  # its state while a return is decided
    returns: Mapped[int] = mapped_column(default=0)  # returns it accepted from its own tier 3
    left_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    progress_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    order: Mapped[WorkOrder] = relationship(back_populates="sub_orders")
    unit: Mapped[Unit] = relationship()


class OrderEvent(Base):
    """One link of an order's chain. ``hash`` covers everything but ``private`` and ``private_salt``.

    It is the SHA-256 of canonical JSON (see ``journal``); the first ``prev_hash`` is that of the order number.
    ``data`` holds no personal data; free words are in ``private``, of which the chain keeps only a salted
    commitment, so that erasing them leaves the chain whole.
    """

    __tablename__ = "order_events"
    __table_args__ = (UniqueConstraint("order_id", "seq"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"))
    seq: Mapped[int]
    action: Mapped[str] = mapped_column(String(24))
    from_status: Mapped[str] = mapped_column(String(20))
    to_status: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    actor_role: Mapped[str] = mapped_column(String(4))
    actor_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    private: Mapped[Any | None] = mapped_column(EncryptedJSON)
    private_salt: Mapped[str | None] = mapped_column(Encrypted)
    private_commitment: Mapped[str] = mapped_column(String(64), default="")
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))

    order: Mapped[WorkOrder] = relationship(back_populates="events")


class HolderSpan(Base):
    """Who is charged for the order from ``from_at`` to ``to_at``. Spans of one order touch and never overlap."""

    __tablename__ = "holder_spans"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"), index=True)
    holder: Mapped[str] = mapped_column(String(8))  # hub, caller, unit, pause
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    from_at: Mapped[datetime] = mapped_column(UTCDateTime)
    to_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    order: Mapped[WorkOrder] = relationship(back_populates="spans")
    unit: Mapped[Unit | None] = relationship()


class Report(Base):
    """What a unit did (办理结果). The public reply and the internal account stay apart."""

    __tablename__ = "reports"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"), index=True)
    sub_order_id: Mapped[int | None] = mapped_column(ForeignKey("sub_orders.id"))  # None: the hub's own
    round: Mapped[int]  # see WorkOrder.round
    contacted: Mapped[bool]
    contacted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    contact_way: Mapped[str] = mapped_column(String(40), default="")
    solved: Mapped[str] = mapped_column(String(12))  # yes, partly, no, impossible
    unsolved_reason: Mapped[str] = mapped_column(String(200), default="")
    public_reply: Mapped[str] = mapped_column(Text)
    process: Mapped[str | None] = mapped_column(Encrypted)  # internal note: may name people
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class OrderFile(Base):
    """A photograph or paper of an order; its bytes stand in ``OrderFileBody``, so that a list reads none of them.

    ``sha256`` is of what was sent: the same picture is kept once. ``report_id``: the report it belongs to; None: the
    demand's own, or brought for a report that is still being written.
    """

    __tablename__ = "order_files"
    __table_args__ = (UniqueConstraint("order_id", "sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"))
    kind: Mapped[str] = mapped_column(String(10))  # see states.FileKind
    report_id: Mapped[int | None] = mapped_column(ForeignKey("reports.id"), index=True)
    round: Mapped[int]  # see WorkOrder.round
    name: Mapped[str] = mapped_column(Encrypted)  # people name files after people
    mime: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    sha256: Mapped[str] = mapped_column(String(64))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))  # None: brought by the hub
    added_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)

    order: Mapped[WorkOrder] = relationship(back_populates="files")
    body: Mapped[OrderFileBody | None] = relationship(cascade="all, delete-orphan", single_parent=True)


class OrderFileBody(Base):
    """The bytes of one file, encrypted; ``thumb``: a photograph small, for lists."""

    __tablename__ = "order_file_bodies"

    file_id: Mapped[int] = mapped_column(ForeignKey("order_files.id"), primary_key=True)
    body: Mapped[bytes] = mapped_column(EncryptedBytes)
    thumb: Mapped[bytes | None] = mapped_column(EncryptedBytes)


class OrderRequest(Base):
    """What somebody asked about an order and somebody else decides: return, extension, suspension ...

    Reasons may name people: they are encrypted. ``moment`` is the date asked for (new deadline, review of a
    suspension); ``details`` holds codes and ids only, of the kind's own (see the verbs).
    """

    __tablename__ = "order_requests"
    __table_args__ = (Index("ix_order_requests_kind_state", "kind", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))  # see states.RequestKind
    state: Mapped[str] = mapped_column(String(10))  # see states.RequestState
    sub_order_id: Mapped[int | None] = mapped_column(ForeignKey("sub_orders.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)  # None: asked by the hub
    tier: Mapped[int] = mapped_column(default=0)
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    asked_role: Mapped[str] = mapped_column(String(4), default="")
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # by when it must be decided
    ground: Mapped[str] = mapped_column(String(20), default="")
    reason: Mapped[str | None] = mapped_column(Encrypted)
    moment: Mapped[datetime | None] = mapped_column(UTCDateTime)
    line_id: Mapped[int | None] = mapped_column(ForeignKey("responsibility_lines.id"))
    suggested_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    passed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    passed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answer: Mapped[str | None] = mapped_column(Encrypted)

    order: Mapped[WorkOrder] = relationship(back_populates="requests")
    sub_order: Mapped[SubOrder | None] = relationship()
    unit: Mapped[Unit | None] = relationship(foreign_keys=[unit_id])
    suggested_unit: Mapped[Unit | None] = relationship(foreign_keys=[suggested_unit_id])


class Notice(Base):
    """A notice to a unit about an order (催办, 督办, 书面批评, 约谈), with the written reply it asks for."""

    __tablename__ = "order_notices"
    __table_args__ = (
        Index("ix_order_notices_unit_id_replied_at", "unit_id", "replied_at"),
        Index("ix_order_notices_waiting", "reply_due_at", **_only("replied_at IS NULL")),
        Index("ix_order_notices_unread", "replied_at", **_only("replied_at IS NOT NULL AND read_at IS NULL")),
        # whatever runs twice: one notice of a kind to a unit for one expiry
        UniqueConstraint("order_id", "unit_id", "kind", "expired_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    kind: Mapped[str] = mapped_column(String(12))  # see states.NoticeKind
    level: Mapped[str] = mapped_column(String(10))  # see states.Supervision
    expired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # the deadline it is about; None: about none
    words: Mapped[str | None] = mapped_column(Encrypted)
    issued_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    issued_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reply_due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reply: Mapped[str | None] = mapped_column(Encrypted)
    replied_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    replied_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    read_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))  # of the hub, after the reply
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    order: Mapped[WorkOrder] = relationship(back_populates="notices")
    unit: Mapped[Unit] = relationship()


class BatchItem(Base):
    """One household of a batch order (批量): who, where, and when it was done."""

    __tablename__ = "batch_items"
    __table_args__ = (UniqueConstraint("order_id", "no"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"), index=True)
    no: Mapped[int]  # its place in the list, from 1
    name: Mapped[str | None] = mapped_column(Encrypted)
    contact: Mapped[str | None] = mapped_column(Encrypted)
    place: Mapped[str | None] = mapped_column(Encrypted)
    note: Mapped[str | None] = mapped_column(Encrypted)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    done_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class OrderCounter(Base):
    """The running number of a month: ``2611`` -> 42."""

    __tablename__ = "order_counters"

    month: Mapped[str] = mapped_column(String(4), primary_key=True)
    last: Mapped[int] = mapped_column(default=0)


class DeadlineProfile(Base):
    """A city's own limits, or the day from which shipped ones are used. ``rules`` empty: those shipped by the name.

    Of those in use, the one with the latest ``active_from`` that is not in the future is in force for new orders.
    """

    __tablename__ = "deadline_profiles"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    title: Mapped[str] = mapped_column(String(60))
    active_from: Mapped[date] = mapped_column(index=True)
    rules: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    active: Mapped[bool] = mapped_column(default=True)
