"""Heads of journals are anchored each day; a million orders are searched."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# every two neighbouring characters of a text
PAIRS = """
CREATE FUNCTION hotline_pairs(words text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT substr(words, at, 2)), '{}')
    FROM generate_series(1, greatest(length(words) - 1, 0)) AS at
$$
"""


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
    op.create_index(op.f("ix_work_orders_updated_at"), "work_orders", ["updated_at"])
    op.create_index("ix_sub_orders_unit_id_state_closed_at", "sub_orders", ["unit_id", "state", "closed_at"])
    op.drop_index("ix_sub_orders_unit_id_state", "sub_orders")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(PAIRS)
        op.execute(
            "CREATE INDEX ix_work_orders_pairs ON work_orders USING gin (hotline_pairs(title || ' ' || address))"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX ix_work_orders_pairs")
        op.execute("DROP FUNCTION hotline_pairs(text)")
    op.create_index("ix_sub_orders_unit_id_state", "sub_orders", ["unit_id", "state"])
    op.drop_index("ix_sub_orders_unit_id_state_closed_at", "sub_orders")
    op.drop_index(op.f("ix_work_orders_updated_at"), "work_orders")
    op.drop_index("ix_journal_anchor_heads_order_id_seq", "journal_anchor_heads")
    op.drop_table("journal_anchor_heads")
    op.drop_table("journal_anchors")
