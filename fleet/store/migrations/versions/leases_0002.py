"""One writer per camera."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "camera_leases",
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["camera"], ["cameras.id"], name=op.f("fk_camera_leases_camera"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("camera", name=op.f("pk_camera_leases")),
    )


def downgrade() -> None:
    op.drop_table("camera_leases")
