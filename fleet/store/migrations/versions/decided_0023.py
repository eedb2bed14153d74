"""Cameras that nobody has decided about are listed worst first without sorting all of them."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_cameras_standing_score_id"), "cameras", ["standing", "score", "id"])
    op.drop_index(op.f("ix_cameras_standing"), "cameras")


def downgrade() -> None:
    op.create_index(op.f("ix_cameras_standing"), "cameras", ["standing"])
    op.drop_index(op.f("ix_cameras_standing_score_id"), "cameras")
