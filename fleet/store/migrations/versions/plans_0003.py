"""Plans: what is changed on cameras, step by step."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("baseline", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved_at", sa.DateTime(), nullable=True),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
    )
    op.create_index(op.f("ix_plans_state"), "plans", ["state"])
    op.create_table(
        "plan_cameras",
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=True),
        sa.Column("place", sa.JSON(), nullable=True),
        sa.Column("proof", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["plan"], ["plans.id"], name=op.f("fk_plan_cameras_plan"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("plan", "camera", name=op.f("pk_plan_cameras")),
    )
    op.create_index(op.f("ix_plan_cameras_camera"), "plan_cameras", ["camera"])
    op.create_table(
        "plan_steps",
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("setting", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["plan"], ["plans.id"], name=op.f("fk_plan_steps_plan"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("plan", "camera", "setting", name=op.f("pk_plan_steps")),
    )
    op.create_table(
        "plan_events",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=True),
        sa.Column("setting", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_events")),
    )
    op.create_index(op.f("ix_plan_events_plan_id"), "plan_events", ["plan", "id"])


def downgrade() -> None:
    for table in ("plan_events", "plan_steps", "plan_cameras", "plans"):
        op.drop_table(table)
