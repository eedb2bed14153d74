"""How accurate the cameras' own AI is: watches, hourly counts, labels, baselines, golden clips."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accuracy_watches",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("queued_at", sa.DateTime(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("condition", sa.String(), nullable=True),
        sa.Column("picture", sa.String(), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("unreadable", sa.Integer(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("reference_seen", sa.Integer(), nullable=False),
        sa.Column("agreed", sa.Integer(), nullable=False),
        sa.Column("claimed", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["camera"], ["cameras.id"], name=op.f("fk_accuracy_watches_camera"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accuracy_watches")),
    )
    op.create_index(op.f("ix_accuracy_watches_camera_id"), "accuracy_watches", ["camera", "id"])
    op.create_index(op.f("ix_accuracy_watches_state"), "accuracy_watches", ["state"])
    op.create_table(
        "accuracy_hours",
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("hour", sa.DateTime(), nullable=False),
        sa.Column("picture", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("watched_s", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["camera"], ["cameras.id"], name=op.f("fk_accuracy_hours_camera"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("camera", "hour", "picture", "version", name=op.f("pk_accuracy_hours")),
    )
    op.create_table(
        "accuracy_labels",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("condition", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("false", sa.Integer(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("labelled_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["camera"], ["cameras.id"], name=op.f("fk_accuracy_labels_camera"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accuracy_labels")),
    )
    op.create_index(op.f("ix_accuracy_labels_camera_id"), "accuracy_labels", ["camera", "id"])
    op.create_table(
        "accuracy_baselines",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera"], ["cameras.id"], name=op.f("fk_accuracy_baselines_camera"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accuracy_baselines")),
    )
    op.create_index(op.f("ix_accuracy_baselines_camera_id"), "accuracy_baselines", ["camera", "id"])
    op.create_table(
        "accuracy_goldens",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera"], ["cameras.id"], name=op.f("fk_accuracy_goldens_camera"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accuracy_goldens")),
    )
    op.create_index(op.f("ix_accuracy_goldens_camera_id"), "accuracy_goldens", ["camera", "id"])


def downgrade() -> None:
    op.drop_table("accuracy_goldens")
    op.drop_table("accuracy_baselines")
    op.drop_table("accuracy_labels")
    op.drop_table("accuracy_hours")
    op.drop_table("accuracy_watches")
