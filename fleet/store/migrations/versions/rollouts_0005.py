"""Bundles and rollouts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bundles",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("app", sa.String(), nullable=True),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("signed_by", sa.String(), nullable=False),
        sa.Column("imported_at", sa.DateTime(), nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundles")),
    )
    op.create_index(op.f("ix_bundles_kind_vendor_version"), "bundles", ["kind", "vendor", "version"])
    op.create_table(
        "rollouts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("bundle", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("approved_at", sa.DateTime(), nullable=True),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["bundle"], ["bundles.id"], name=op.f("fk_rollouts_bundle")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollouts")),
    )
    op.create_index(op.f("ix_rollouts_state"), "rollouts", ["state"])
    op.create_table(
        "rollout_targets",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("rollout", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("group", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("not_before", sa.DateTime(), nullable=True),
        sa.Column("give_up_at", sa.DateTime(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("backup", sa.String(), nullable=True),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rollout"], ["rollouts.id"], name=op.f("fk_rollout_targets_rollout"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["camera"], ["cameras.id"], name=op.f("fk_rollout_targets_camera"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollout_targets")),
        sa.UniqueConstraint("rollout", "camera", name=op.f("uq_rollout_targets_rollout_camera")),
    )
    op.create_index(op.f("ix_rollout_targets_rollout_state"), "rollout_targets", ["rollout", "state"])
    op.create_index(op.f("ix_rollout_targets_camera"), "rollout_targets", ["camera"])
    op.create_table(
        "rollout_events",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("rollout", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollout_events")),
    )
    op.create_index(op.f("ix_rollout_events_rollout_id"), "rollout_events", ["rollout", "id"])


def downgrade() -> None:
    for table in ("rollout_events", "rollout_targets", "rollouts", "bundles"):
        op.drop_table(table)
