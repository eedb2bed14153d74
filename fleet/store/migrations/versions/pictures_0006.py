"""Picture checks, reference views, incidents and notices."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evidence",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_evidence")),
    )
    op.create_index(op.f("ix_evidence_kind_at"), "evidence", ["kind", "at"])
    op.create_table(
        "notices",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("next_at", sa.DateTime(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index(op.f("ix_notices_about"), "notices", ["about"])
    op.create_index(op.f("ix_notices_state_next_at"), "notices", ["state", "next_at"])
    op.create_table(
        "picture_checks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("condition", sa.String(), nullable=True),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("picture", sa.String(), nullable=True),
        sa.Column("stream", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_checks")),
    )
    op.create_index(op.f("ix_picture_checks_at"), "picture_checks", ["at"])
    op.create_index(op.f("ix_picture_checks_camera_id"), "picture_checks", ["camera", "id"])
    op.create_table(
        "picture_incidents",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=True),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("fault", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("part_of", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_incidents")),
    )
    op.create_index(op.f("ix_picture_incidents_camera_id"), "picture_incidents", ["camera", "id"])
    op.create_index(
        op.f("ix_picture_incidents_closed_at_site_fault"), "picture_incidents", ["closed_at", "site", "fault"]
    )
    op.create_index(op.f("ix_picture_incidents_part_of"), "picture_incidents", ["part_of"])
    op.create_table(
        "picture_watches",
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("next_at", sa.DateTime(), nullable=False),
        sa.Column("series", sa.JSON(), nullable=False),
        sa.Column("checked_at", sa.DateTime(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("condition", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("picture", sa.String(), nullable=True),
        sa.Column("picture_at", sa.DateTime(), nullable=True),
        sa.Column("muted_until", sa.DateTime(), nullable=True),
        sa.Column("mute_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["camera"], ["cameras.id"], name=op.f("fk_picture_watches_camera"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("camera", name=op.f("pk_picture_watches")),
    )
    op.create_index(op.f("ix_picture_watches_next_at"), "picture_watches", ["next_at"])
    op.create_table(
        "reference_views",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("condition", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("picture", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=False),
        sa.Column("approved_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["camera"], ["cameras.id"], name=op.f("fk_reference_views_camera"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reference_views")),
    )
    op.create_index(op.f("ix_reference_views_camera_condition_id"), "reference_views", ["camera", "condition", "id"])


def downgrade() -> None:
    op.drop_table("reference_views")
    op.drop_table("picture_watches")
    op.drop_table("picture_incidents")
    op.drop_table("picture_checks")
    op.drop_table("notices")
    op.drop_table("evidence")
