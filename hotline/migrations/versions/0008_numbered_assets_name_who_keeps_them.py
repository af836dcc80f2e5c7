"""Numbered assets name who keeps them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "assets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("digits", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("area_code", sa.String(length=12), nullable=False),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lng", sa.Float(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("below_id", sa.Integer(), nullable=True),
        sa.Column("category_code", sa.String(length=20), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["below_id"], ["units.id"], name=op.f("fk_assets_below_id_units")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_assets_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assets")),
        sa.UniqueConstraint("code", name=op.f("uq_assets_code")),
    )
    with op.batch_alter_table("assets") as batch_op:
        batch_op.create_index(batch_op.f("ix_assets_below_id"), ["below_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_assets_digits"), ["digits"], unique=False)
        batch_op.create_index(batch_op.f("ix_assets_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_assets_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "asset_keepers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("asset_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("unit", sa.String(length=60), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name=op.f("fk_asset_keepers_asset_id_assets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset_keepers")),
        sa.UniqueConstraint("asset_id", "level", name=op.f("uq_asset_keepers_asset_id_level")),
    )

    with op.batch_alter_table("work_orders") as batch_op:
        batch_op.add_column(sa.Column("asset_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_work_orders_asset_id"), ["asset_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_work_orders_asset_id_assets"), "assets", ["asset_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("work_orders") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_work_orders_asset_id_assets"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_work_orders_asset_id"))
        batch_op.drop_column("asset_id")

    op.drop_table("asset_keepers")
    with op.batch_alter_table("assets") as batch_op:
        batch_op.drop_index(batch_op.f("ix_assets_unit_id"))
        batch_op.drop_index(batch_op.f("ix_assets_kind"))
        batch_op.drop_index(batch_op.f("ix_assets_digits"))
        batch_op.drop_index(batch_op.f("ix_assets_below_id"))

    op.drop_table("assets")
