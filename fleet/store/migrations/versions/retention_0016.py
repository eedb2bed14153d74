"""What is left of history when its rows are gone, and indexes for what changed since a moment."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "picture_rollups",
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("span", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("condition", sa.String(), nullable=False),
        sa.Column("ok", sa.Integer(), nullable=False),
        sa.Column("degraded", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("worst", sa.String(), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("picture", sa.String(), nullable=True),
        sa.Column("rated", sa.Integer(), nullable=False),
        sa.Column("rate_sum", sa.Float(), nullable=False),
        sa.Column("longest_gap_s", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("camera", "span", "at", "condition", name=op.f("pk_picture_rollups")),
    )
    op.create_index(op.f("ix_picture_rollups_span_at"), "picture_rollups", ["span", "at"])
    op.create_index(op.f("ix_picture_rollups_picture"), "picture_rollups", ["picture"])
    op.create_table(
        "accuracy_days",
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("day", sa.DateTime(), nullable=False),
        sa.Column("picture", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("watched_s", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("camera", "day", "picture", "version", name=op.f("pk_accuracy_days")),
    )
    op.create_index(op.f("ix_accuracy_days_day"), "accuracy_days", ["day"])
    op.create_table(
        "camera_events",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_camera_events")),
    )
    op.create_index(op.f("ix_camera_events_at_event"), "camera_events", ["at", "event"])
    op.create_index(op.f("ix_camera_events_camera_id"), "camera_events", ["camera", "id"])
    op.create_index(op.f("ix_cameras_serial"), "cameras", ["serial"])
    op.create_index(op.f("ix_cameras_name"), "cameras", ["name"])
    # What the first page asks: what is new, and what changed since a moment.
    op.create_index(op.f("ix_picture_incidents_opened_at"), "picture_incidents", ["opened_at"])
    op.create_index(op.f("ix_scans_finished_at"), "scans", ["finished_at"])
    op.create_index(op.f("ix_plans_finished_at"), "plans", ["finished_at"])
    op.create_index(op.f("ix_rollouts_finished_at"), "rollouts", ["finished_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_rollouts_finished_at"), "rollouts")
    op.drop_index(op.f("ix_plans_finished_at"), "plans")
    op.drop_index(op.f("ix_scans_finished_at"), "scans")
    op.drop_index(op.f("ix_picture_incidents_opened_at"), "picture_incidents")
    op.drop_index(op.f("ix_cameras_name"), "cameras")
    op.drop_index(op.f("ix_cameras_serial"), "cameras")
    op.drop_index(op.f("ix_camera_events_camera_id"), "camera_events")
    op.drop_index(op.f("ix_camera_events_at_event"), "camera_events")
    op.drop_table("camera_events")
    op.drop_index(op.f("ix_accuracy_days_day"), "accuracy_days")
    op.drop_table("accuracy_days")
    op.drop_index(op.f("ix_picture_rollups_picture"), "picture_rollups")
    op.drop_index(op.f("ix_picture_rollups_span_at"), "picture_rollups")
    op.drop_table("picture_rollups")
