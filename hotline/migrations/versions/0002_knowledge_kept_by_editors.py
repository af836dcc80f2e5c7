"""Knowledge is written, checked and kept by editors."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kb_synonyms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("term", sa.String(length=40), nullable=False),
        sa.Column("means", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_synonyms")),
        sa.UniqueConstraint("term", name=op.f("uq_kb_synonyms_term")),
    )
    op.create_table(
        "kb_attachments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("mime", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("added_by", sa.Integer(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["users.id"], name=op.f("fk_kb_attachments_added_by_users")),
        sa.ForeignKeyConstraint(["entry_id"], ["kb_entries.id"], name=op.f("fk_kb_attachments_entry_id_kb_entries")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_attachments")),
    )
    with op.batch_alter_table("kb_attachments") as batch_op:
        batch_op.create_index(batch_op.f("ix_kb_attachments_entry_id"), ["entry_id"], unique=False)

    op.create_table(
        "kb_entry_areas",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("area_code", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["kb_entries.id"], name=op.f("fk_kb_entry_areas_entry_id_kb_entries")),
        sa.PrimaryKeyConstraint("entry_id", "area_code", name=op.f("pk_kb_entry_areas")),
    )
    op.create_table(
        "kb_reviews",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("answered_by", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["answered_by"], ["users.id"], name=op.f("fk_kb_reviews_answered_by_users")),
        sa.ForeignKeyConstraint(["entry_id"], ["kb_entries.id"], name=op.f("fk_kb_reviews_entry_id_kb_entries")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_kb_reviews_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_reviews")),
    )
    with op.batch_alter_table("kb_reviews") as batch_op:
        batch_op.create_index(batch_op.f("ix_kb_reviews_due_on"), ["due_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_kb_reviews_entry_id"), ["entry_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_kb_reviews_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "kb_tasks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["closed_by"], ["users.id"], name=op.f("fk_kb_tasks_closed_by_users")),
        sa.ForeignKeyConstraint(["entry_id"], ["kb_entries.id"], name=op.f("fk_kb_tasks_entry_id_kb_entries")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_tasks")),
    )
    with op.batch_alter_table("kb_tasks") as batch_op:
        batch_op.create_index(batch_op.f("ix_kb_tasks_entry_id"), ["entry_id"], unique=False)
        batch_op.create_index("ix_kb_tasks_state_kind", ["state", "kind"], unique=False)

    op.create_table(
        "kb_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("origin", sa.JSON(), nullable=False),
        sa.Column("writers", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("remark", sa.String(length=500), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_by", sa.Integer(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["checked_by"], ["users.id"], name=op.f("fk_kb_versions_checked_by_users")),
        sa.ForeignKeyConstraint(["entry_id"], ["kb_entries.id"], name=op.f("fk_kb_versions_entry_id_kb_entries")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_versions")),
        sa.UniqueConstraint("entry_id", "number", name=op.f("uq_kb_versions_entry_id_number")),
    )
    with op.batch_alter_table("kb_versions") as batch_op:
        batch_op.create_index("ix_kb_versions_state", ["state"], unique=False)
        batch_op.create_index(
            "uq_kb_versions_open",
            ["entry_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('draft', 'review')"),
            postgresql_where=sa.text("state IN ('draft', 'review')"),
        )

    op.create_table(
        "kb_offers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_kb_offers_call_id_calls")),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_kb_offers_decided_by_users")),
        sa.ForeignKeyConstraint(["entry_id"], ["kb_entries.id"], name=op.f("fk_kb_offers_entry_id_kb_entries")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_offers")),
        sa.UniqueConstraint("call_id", "entry_id", name=op.f("uq_kb_offers_call_id_entry_id")),
    )
    with op.batch_alter_table("kb_offers") as batch_op:
        batch_op.create_index(batch_op.f("ix_kb_offers_entry_id"), ["entry_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_kb_offers_state"), ["state"], unique=False)

    op.create_table(
        "kb_signals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("told", sa.LargeBinary(), nullable=True),
        sa.Column("call_id", sa.Integer(), nullable=True),
        sa.Column("entry_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_kb_signals_call_id_calls")),
        sa.ForeignKeyConstraint(["entry_id"], ["kb_entries.id"], name=op.f("fk_kb_signals_entry_id_kb_entries")),
        sa.ForeignKeyConstraint(["task_id"], ["kb_tasks.id"], name=op.f("fk_kb_signals_task_id_kb_tasks")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_kb_signals_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_signals")),
    )
    with op.batch_alter_table("kb_signals") as batch_op:
        batch_op.create_index(batch_op.f("ix_kb_signals_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_kb_signals_call_id"), ["call_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_kb_signals_task_id"), ["task_id"], unique=False)

    with op.batch_alter_table("kb_changes", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.alter_column("entry_id", existing_type=sa.INTEGER(), nullable=True)

    with op.batch_alter_table("kb_entries") as batch_op:
        batch_op.add_column(sa.Column("source_url", sa.String(length=500), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("public", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column("review_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
        batch_op.create_index(batch_op.f("ix_kb_entries_review_on"), ["review_on"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("kb_entries") as batch_op:
        batch_op.drop_index(batch_op.f("ix_kb_entries_review_on"))
        batch_op.drop_column("version")
        batch_op.drop_column("review_on")
        batch_op.drop_column("public")
        batch_op.drop_column("source_url")

    op.execute("DELETE FROM kb_changes WHERE entry_id IS NULL")
    with op.batch_alter_table("kb_changes", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.alter_column("entry_id", existing_type=sa.INTEGER(), nullable=False)

    with op.batch_alter_table("kb_signals") as batch_op:
        batch_op.drop_index(batch_op.f("ix_kb_signals_task_id"))
        batch_op.drop_index(batch_op.f("ix_kb_signals_call_id"))
        batch_op.drop_index(batch_op.f("ix_kb_signals_at"))

    op.drop_table("kb_signals")
    with op.batch_alter_table("kb_offers") as batch_op:
        batch_op.drop_index(batch_op.f("ix_kb_offers_state"))
        batch_op.drop_index(batch_op.f("ix_kb_offers_entry_id"))

    op.drop_table("kb_offers")
    with op.batch_alter_table("kb_versions") as batch_op:
        batch_op.drop_index(
            "uq_kb_versions_open",
            sqlite_where=sa.text("state IN ('draft', 'review')"),
            postgresql_where=sa.text("state IN ('draft', 'review')"),
        )
        batch_op.drop_index("ix_kb_versions_state")

    op.drop_table("kb_versions")
    with op.batch_alter_table("kb_tasks") as batch_op:
        batch_op.drop_index("ix_kb_tasks_state_kind")
        batch_op.drop_index(batch_op.f("ix_kb_tasks_entry_id"))

    op.drop_table("kb_tasks")
    with op.batch_alter_table("kb_reviews") as batch_op:
        batch_op.drop_index(batch_op.f("ix_kb_reviews_unit_id"))
        batch_op.drop_index(batch_op.f("ix_kb_reviews_entry_id"))
        batch_op.drop_index(batch_op.f("ix_kb_reviews_due_on"))

    op.drop_table("kb_reviews")
    op.drop_table("kb_entry_areas")
    with op.batch_alter_table("kb_attachments") as batch_op:
        batch_op.drop_index(batch_op.f("ix_kb_attachments_entry_id"))

    op.drop_table("kb_attachments")
    op.drop_table("kb_synonyms")
