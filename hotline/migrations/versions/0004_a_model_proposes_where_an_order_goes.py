"""A model proposes where an order goes, and how often it was right is counted."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "routing_models",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("trained_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_models")),
    )
    with op.batch_alter_table("routing_models") as batch_op:
        batch_op.create_index(batch_op.f("ix_routing_models_active"), ["active"], unique=False)

    op.create_table(
        "routing_proposals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("units", sa.JSON(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("chosen_category", sa.String(length=20), nullable=False),
        sa.Column("chosen_unit", sa.String(length=20), nullable=False),
        sa.Column("returned_by", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["routing_models.id"], name=op.f("fk_routing_proposals_model_id_routing_models")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_orders.id"], name=op.f("fk_routing_proposals_order_id_work_orders")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_proposals")),
        sa.UniqueConstraint("order_id", name=op.f("uq_routing_proposals_order_id")),
    )
    with op.batch_alter_table("routing_proposals") as batch_op:
        batch_op.create_index("ix_routing_proposals_chosen_at", ["chosen_at"], unique=False)


def downgrade() -> None:
    op.drop_table("routing_proposals")
    op.drop_table("routing_models")
