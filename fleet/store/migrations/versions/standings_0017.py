"""Whether a found camera is looked after, and scans that send no login."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cameras", sa.Column("standing", sa.String(), nullable=True))
    op.create_index(op.f("ix_cameras_standing"), "cameras", ["standing"])
    op.add_column("scans", sa.Column("looks_only", sa.Boolean(), nullable=False, server_default=sa.false()))
    # Whoever used it before has been looking after all that was found.
    op.execute("UPDATE cameras SET standing = 'adopted'")


def downgrade() -> None:
    op.drop_column("scans", "looks_only")
    op.drop_index(op.f("ix_cameras_standing"), "cameras")
    op.drop_column("cameras", "standing")
