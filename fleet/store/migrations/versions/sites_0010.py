"""Sites, and which one each camera and each camera of a rollout belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sites",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("networks", sa.JSON(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("window", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sites")),
    )
    op.add_column("cameras", sa.Column("site", sa.String(), nullable=True))
    op.create_index(op.f("ix_cameras_site"), "cameras", ["site"])
    op.add_column("rollout_targets", sa.Column("window", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("rollout_targets", "window")
    op.drop_index(op.f("ix_cameras_site"), "cameras")
    op.drop_column("cameras", "site")
    op.drop_table("sites")
