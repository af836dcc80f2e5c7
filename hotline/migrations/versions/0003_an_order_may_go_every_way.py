"""Orders are returned, designated, suspended, supervised and merged"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _only(rows: str) -> dict[str, sa.TextClause]:
    return {"postgresql_where": sa.text(rows), "sqlite_where": sa.text(rows)}


def upgrade() -> None:
    op.create_table(
        "batch_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("contact", sa.LargeBinary(), nullable=True),
        sa.Column("place", sa.LargeBinary(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["done_by"], ["users.id"], name=op.f("fk_batch_items_done_by_users")),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_batch_items_order_id_work_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_items")),
        sa.UniqueConstraint("order_id", "no", name=op.f("uq_batch_items_order_id_no")),
    )
    with op.batch_alter_table("batch_items") as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_items_order_id"), ["order_id"], unique=False)

    op.create_table(
        "panels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("attendants", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_panels_created_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panels")),
    )
    with op.batch_alter_table("panels") as batch_op:
        batch_op.create_index(batch_op.f("ix_panels_held_at"), ["held_at"], unique=False)

    op.create_table(
        "order_notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("expired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("issued_by", sa.Integer(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reply_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("replied_by", sa.Integer(), nullable=True),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_by", sa.Integer(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["issued_by"], ["users.id"], name=op.f("fk_order_notices_issued_by_users")),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_order_notices_order_id_work_orders")),
        sa.ForeignKeyConstraint(["read_by"], ["users.id"], name=op.f("fk_order_notices_read_by_users")),
        sa.ForeignKeyConstraint(["replied_by"], ["users.id"], name=op.f("fk_order_notices_replied_by_users")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_order_notices_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_notices")),
        sa.UniqueConstraint(
            "order_id", "unit_id", "kind", "expired_at", name=op.f("uq_order_notices_order_id_unit_id_kind_expired_at")
        ),
    )
    with op.batch_alter_table("order_notices") as batch_op:
        batch_op.create_index(batch_op.f("ix_order_notices_order_id"), ["order_id"], unique=False)
        batch_op.create_index("ix_order_notices_unit_id_replied_at", ["unit_id", "replied_at"], unique=False)
        batch_op.create_index("ix_order_notices_waiting", ["reply_due_at"], **_only("replied_at IS NULL"))
        batch_op.create_index(
            "ix_order_notices_unread", ["replied_at"], **_only("replied_at IS NOT NULL AND read_at IS NULL")
        )

    op.create_table(
        "order_waits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("for_unit_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["for_unit_id"], ["units.id"], name=op.f("fk_order_waits_for_unit_id_units")),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_order_waits_order_id_work_orders")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_order_waits_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_waits")),
    )
    with op.batch_alter_table("order_waits") as batch_op:
        batch_op.create_index(batch_op.f("ix_order_waits_for_unit_id"), ["for_unit_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_order_waits_order_id"), ["order_id"], unique=False)

    op.create_table(
        "panel_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("panel_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("question", sa.LargeBinary(), nullable=True),
        sa.Column("minutes", sa.LargeBinary(), nullable=True),
        sa.Column("lead_unit_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["lead_unit_id"], ["units.id"], name=op.f("fk_panel_items_lead_unit_id_units")),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_panel_items_order_id_work_orders")),
        sa.ForeignKeyConstraint(["panel_id"], ["panels.id"], name=op.f("fk_panel_items_panel_id_panels")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel_items")),
        sa.UniqueConstraint("panel_id", "order_id", name=op.f("uq_panel_items_panel_id_order_id")),
    )
    with op.batch_alter_table("panel_items") as batch_op:
        batch_op.create_index(batch_op.f("ix_panel_items_order_id"), ["order_id"], unique=False)

    op.create_table(
        "order_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("sub_order_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("asked_role", sa.String(length=4), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ground", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=True),
        sa.Column("line_id", sa.Integer(), nullable=True),
        sa.Column("suggested_unit_id", sa.Integer(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("passed_by", sa.Integer(), nullable=True),
        sa.Column("passed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["users.id"], name=op.f("fk_order_requests_asked_by_users")),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_order_requests_decided_by_users")),
        sa.ForeignKeyConstraint(
            ["line_id"], ["responsibility_lines.id"], name=op.f("fk_order_requests_line_id_responsibility_lines")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_order_requests_order_id_work_orders")),
        sa.ForeignKeyConstraint(["passed_by"], ["users.id"], name=op.f("fk_order_requests_passed_by_users")),
        sa.ForeignKeyConstraint(
            ["sub_order_id"], ["sub_orders.id"], name=op.f("fk_order_requests_sub_order_id_sub_orders")
        ),
        sa.ForeignKeyConstraint(
            ["suggested_unit_id"], ["units.id"], name=op.f("fk_order_requests_suggested_unit_id_units")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_order_requests_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_requests")),
    )
    with op.batch_alter_table("order_requests") as batch_op:
        batch_op.create_index("ix_order_requests_kind_state", ["kind", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_order_requests_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_order_requests_unit_id"), ["unit_id"], unique=False)

    with op.batch_alter_table("reports") as batch_op:
        batch_op.alter_column("sub_order_id", existing_type=sa.INTEGER(), nullable=True)

    with op.batch_alter_table("sub_orders") as batch_op:
        batch_op.add_column(sa.Column("returnable", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column("return_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("before_return", sa.String(length=12), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("returns", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("left_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("progress_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("work_orders") as batch_op:
        batch_op.add_column(sa.Column("review_count", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("urge_count", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("first_unit_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("joint", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("extension", sa.String(length=10), nullable=False, server_default="none"))
        batch_op.add_column(sa.Column("extension_count", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("claim", sa.String(length=10), nullable=False, server_default="none"))
        batch_op.add_column(sa.Column("appeal", sa.String(length=10), nullable=False, server_default="none"))
        batch_op.add_column(sa.Column("sensitive_kind", sa.String(length=12), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("released_content", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("leader_note", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("households", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("watch_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("appeal_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_work_orders_merged_into_id"), ["merged_into_id"], unique=False)
        batch_op.create_index("ix_work_orders_category_code_submitted_at", ["category_code", "submitted_at"])
        batch_op.create_index("ix_work_orders_area_code_submitted_at", ["area_code", "submitted_at"])
        batch_op.create_index("ix_work_orders_watch_at", ["watch_at"], **_only("watch_at IS NOT NULL"))
        batch_op.create_index(
            "ix_work_orders_supervision_open", ["supervision", "deadline_at"], **_only("closed_at IS NULL")
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_work_orders_first_unit_id_units"), "units", ["first_unit_id"], ["id"]
        )
    # the timers look at every order that was open before there were any
    op.execute("UPDATE work_orders SET watch_at = updated_at WHERE closed_at IS NULL")
    # whom an order was sent to first answers for it while a panel decides
    op.execute(
        "UPDATE work_orders SET first_unit_id = (SELECT unit_id FROM sub_orders WHERE id = (SELECT MIN(id) FROM"
        " sub_orders WHERE order_id = work_orders.id AND tier = 2 AND part = 'lead'))"
    )


def downgrade() -> None:
    with op.batch_alter_table("work_orders") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_work_orders_first_unit_id_units"), type_="foreignkey")
        batch_op.drop_index("ix_work_orders_supervision_open")
        batch_op.drop_index("ix_work_orders_watch_at")
        batch_op.drop_index("ix_work_orders_area_code_submitted_at")
        batch_op.drop_index("ix_work_orders_category_code_submitted_at")
        batch_op.drop_index(batch_op.f("ix_work_orders_merged_into_id"))
        batch_op.drop_column("appeal_until")
        batch_op.drop_column("watch_at")
        batch_op.drop_column("households")
        batch_op.drop_column("leader_note")
        batch_op.drop_column("released_content")
        batch_op.drop_column("sensitive_kind")
        batch_op.drop_column("appeal")
        batch_op.drop_column("claim")
        batch_op.drop_column("extension_count")
        batch_op.drop_column("extension")
        batch_op.drop_column("joint")
        batch_op.drop_column("first_unit_id")
        batch_op.drop_column("urge_count")
        batch_op.drop_column("review_count")

    with op.batch_alter_table("sub_orders") as batch_op:
        batch_op.drop_column("progress_at")
        batch_op.drop_column("left_at")
        batch_op.drop_column("returns")
        batch_op.drop_column("before_return")
        batch_op.drop_column("return_until")
        batch_op.drop_column("returnable")

    with op.batch_alter_table("reports") as batch_op:
        batch_op.alter_column("sub_order_id", existing_type=sa.INTEGER(), nullable=False)

    with op.batch_alter_table("order_requests") as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_requests_unit_id"))
        batch_op.drop_index(batch_op.f("ix_order_requests_order_id"))
        batch_op.drop_index("ix_order_requests_kind_state")

    op.drop_table("order_requests")
    with op.batch_alter_table("panel_items") as batch_op:
        batch_op.drop_index(batch_op.f("ix_panel_items_order_id"))

    op.drop_table("panel_items")
    with op.batch_alter_table("order_waits") as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_waits_order_id"))
        batch_op.drop_index(batch_op.f("ix_order_waits_for_unit_id"))

    op.drop_table("order_waits")
    with op.batch_alter_table("order_notices") as batch_op:
        batch_op.drop_index("ix_order_notices_unread")
        batch_op.drop_index("ix_order_notices_waiting")
        batch_op.drop_index("ix_order_notices_unit_id_replied_at")
        batch_op.drop_index(batch_op.f("ix_order_notices_order_id"))

    op.drop_table("order_notices")
    with op.batch_alter_table("panels") as batch_op:
        batch_op.drop_index(batch_op.f("ix_panels_held_at"))

    op.drop_table("panels")
    with op.batch_alter_table("batch_items") as batch_op:
        batch_op.drop_index(batch_op.f("ix_batch_items_order_id"))

    op.drop_table("batch_items")
