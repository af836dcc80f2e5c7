"""Heads of journals are anchored each day."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "journal_anchors",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_anchors")),
        sa.UniqueConstraint("day", name=op.f("uq_journal_anchors_day")),
    )
    op.create_table(
        "journal_anchor_heads",
        sa.Column("anchor_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["anchor_id"], ["journal_anchors.id"], name=op.f("fk_journal_anchor_heads_anchor_id_journal_anchors")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_orders.id"], name=op.f("fk_journal_anchor_heads_order_id_work_orders")
        ),
        sa.PrimaryKeyConstraint("anchor_id", "order_id", name=op.f("pk_journal_anchor_heads")),
    )
    op.create_index("ix_journal_anchor_heads_order_id_seq", "journal_anchor_heads", ["order_id", "seq"])


def downgrade() -> None:
    op.drop_index("ix_journal_anchor_heads_order_id_seq", "journal_anchor_heads")
    op.drop_table("journal_anchor_heads")
    op.drop_table("journal_anchors")
