"""Photos and papers prove what was done."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "order_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("mime", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("added_by", sa.Integer(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["users.id"], name=op.f("fk_order_files_added_by_users")),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_order_files_order_id_work_orders")),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name=op.f("fk_order_files_report_id_reports")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_order_files_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_files")),
        sa.UniqueConstraint("order_id", "sha256", name=op.f("uq_order_files_order_id_sha256")),
    )
    with op.batch_alter_table("order_files") as batch_op:
        batch_op.create_index(batch_op.f("ix_order_files_report_id"), ["report_id"], unique=False)
    op.create_table(
        "order_file_bodies",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("thumb", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["file_id"], ["order_files.id"], name=op.f("fk_order_file_bodies_file_id_order_files")),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_order_file_bodies")),
    )


def downgrade() -> None:
    op.drop_table("order_file_bodies")
    op.drop_table("order_files")
