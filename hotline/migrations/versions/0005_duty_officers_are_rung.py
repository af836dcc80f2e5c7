"""Duty officers are rung, units work by telephone, citizens are called through the hub."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "duty_shifts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("phone_mask", sa.String(length=20), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_duty_shifts_unit_id_units")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_duty_shifts_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_shifts")),
    )
    with op.batch_alter_table("duty_shifts") as batch_op:
        batch_op.create_index("ix_duty_shifts_unit_id_ends_at", ["unit_id", "ends_at"], unique=False)

    op.create_table(
        "telephones",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.String(length=80), nullable=False),
        sa.Column("phone_mask", sa.String(length=20), nullable=False),
        sa.Column("pin_hash", sa.String(length=200), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("set_by", sa.Integer(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["set_by"], ["users.id"], name=op.f("fk_telephones_set_by_users")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_telephones_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_telephones")),
        sa.UniqueConstraint("user_id", name=op.f("uq_telephones_user_id")),
    )
    with op.batch_alter_table("telephones") as batch_op:
        batch_op.create_index(batch_op.f("ix_telephones_phone_index"), ["phone_index"], unique=False)

    op.create_table(
        "dial_ins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("keyed", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_dial_ins_order_id_work_orders")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_dial_ins_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dial_ins")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_dial_ins_provider_id")),
    )
    op.create_table(
        "alarms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("sub_order_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_alarms_order_id_work_orders")),
        sa.ForeignKeyConstraint(["sub_order_id"], ["sub_orders.id"], name=op.f("fk_alarms_sub_order_id_sub_orders")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_alarms_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
        sa.UniqueConstraint("sub_order_id", "round", name=op.f("uq_alarms_sub_order_id_round")),
    )
    with op.batch_alter_table("alarms") as batch_op:
        batch_op.create_index(batch_op.f("ix_alarms_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_alarms_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_alarms_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "contact_calls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("sub_order_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unit_line", sa.String(length=64), nullable=True),
        sa.Column("citizen_line", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_contact_calls_order_id_work_orders")),
        sa.ForeignKeyConstraint(
            ["sub_order_id"], ["sub_orders.id"], name=op.f("fk_contact_calls_sub_order_id_sub_orders")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_contact_calls_unit_id_units")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_contact_calls_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_calls")),
        sa.UniqueConstraint("citizen_line", name=op.f("uq_contact_calls_citizen_line")),
        sa.UniqueConstraint("unit_line", name=op.f("uq_contact_calls_unit_line")),
    )
    with op.batch_alter_table("contact_calls") as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_calls_order_id"), ["order_id"], unique=False)

    op.create_table(
        "alarm_tries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("phone_mask", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarms.id"], name=op.f("fk_alarm_tries_alarm_id_alarms")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_alarm_tries_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_tries")),
        sa.UniqueConstraint("alarm_id", "turn", name=op.f("uq_alarm_tries_alarm_id_turn")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_alarm_tries_provider_id")),
    )


def downgrade() -> None:
    op.drop_table("alarm_tries")
    with op.batch_alter_table("contact_calls") as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_calls_order_id"))

    op.drop_table("contact_calls")
    with op.batch_alter_table("alarms") as batch_op:
        batch_op.drop_index(batch_op.f("ix_alarms_unit_id"))
        batch_op.drop_index(batch_op.f("ix_alarms_state"))
        batch_op.drop_index(batch_op.f("ix_alarms_order_id"))

    op.drop_table("alarms")
    op.drop_table("dial_ins")
    with op.batch_alter_table("telephones") as batch_op:
        batch_op.drop_index(batch_op.f("ix_telephones_phone_index"))

    op.drop_table("telephones")
    with op.batch_alter_table("duty_shifts") as batch_op:
        batch_op.drop_index("ix_duty_shifts_unit_id_ends_at")

    op.drop_table("duty_shifts")
