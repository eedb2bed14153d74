"""Cameras at whose address another unit answers."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cameras", sa.Column("displaced_at", sa.DateTime(), nullable=True))
    op.add_column("cameras", sa.Column("displaced_by", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("cameras", "displaced_by")
    op.drop_column("cameras", "displaced_at")
