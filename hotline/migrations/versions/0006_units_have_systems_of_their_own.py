"""Units are told by webhook and e-mail, and act through systems of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("units") as batch_op:
        batch_op.add_column(sa.Column("fallbacks", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("webhook_url", sa.String(length=500), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("webhook_secret", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("email", sa.String(length=254), nullable=False, server_default=""))

    with op.batch_alter_table("deliveries") as batch_op:
        batch_op.add_column(sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True))

    op.create_table(
        "unit_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(length=20), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_unit_keys_unit_id_units")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_unit_keys_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_keys")),
        sa.UniqueConstraint("key_id", name=op.f("uq_unit_keys_key_id")),
    )
    with op.batch_alter_table("unit_keys") as batch_op:
        batch_op.create_index(batch_op.f("ix_unit_keys_unit_id"), ["unit_id"], unique=False)


def downgrade() -> None:
    op.drop_table("unit_keys")
    with op.batch_alter_table("deliveries") as batch_op:
        batch_op.drop_column("dropped_at")
    with op.batch_alter_table("units") as batch_op:
        for column in ("email", "webhook_secret", "webhook_url", "fallbacks"):
            batch_op.drop_column(column)
