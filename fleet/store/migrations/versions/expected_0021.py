"""Cameras that somebody expects."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "expected_cameras",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("said_site", sa.String(), nullable=True),
        sa.Column("serial", sa.String(), nullable=True),
        sa.Column("mac", sa.String(), nullable=True),
        sa.Column("vendor", sa.String(), nullable=True),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("site", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        sa.Column("imported_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expected_cameras")),
        sa.UniqueConstraint("place", name=op.f("uq_expected_cameras_place")),
    )
    op.create_index(op.f("ix_expected_cameras_address"), "expected_cameras", ["address"])


def downgrade() -> None:
    op.drop_index(op.f("ix_expected_cameras_address"), "expected_cameras")
    op.drop_table("expected_cameras")
