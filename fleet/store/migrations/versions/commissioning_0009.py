"""Commissioning."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "commissionings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("template", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_by", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("signed_by", sa.String(), nullable=True),
        sa.Column("signed_at", sa.DateTime(), nullable=True),
        sa.Column("record", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commissionings")),
    )
    op.create_table(
        "commissioned_cameras",
        sa.Column("commissioning", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("still", sa.String(), nullable=True),
        sa.Column("still_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["commissioning"],
            ["commissionings.id"],
            name=op.f("fk_commissioned_cameras_commissioning"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("commissioning", "camera", name=op.f("pk_commissioned_cameras")),
    )
    op.create_index(op.f("ix_commissioned_cameras_camera"), "commissioned_cameras", ["camera"])
    op.create_table(
        "commissioning_answers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("commissioning", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("row", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commissioning_answers")),
    )
    op.create_index(
        op.f("ix_commissioning_answers_commissioning_camera_id"),
        "commissioning_answers",
        ["commissioning", "camera", "id"],
    )


def downgrade() -> None:
    op.drop_table("commissioning_answers")
    op.drop_table("commissioned_cameras")
    op.drop_table("commissionings")
