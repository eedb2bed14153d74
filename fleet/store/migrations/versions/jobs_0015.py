"""The queue of jobs, schedules, and when a camera is due for what (which was a column of the picture watches)."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _jobs()
    _schedules()
    op.execute("INSERT INTO due (camera, what, next_at) SELECT camera, 'pictures', next_at FROM picture_watches")
    op.drop_index(op.f("ix_picture_watches_next_at"), "picture_watches")
    op.drop_column("picture_watches", "next_at")


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=True),
        sa.Column("site", sa.String(), nullable=True),
        sa.Column("work", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(), nullable=True),
        sa.Column("beat", sa.Integer(), nullable=False),
        sa.Column("asked", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("queued_at", sa.DateTime(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    for name, columns, state in (
        ("ix_jobs_queued", ["priority", "id"], "state = 'queued'"),
        ("ix_jobs_waiting", ["not_before"], "state = 'waiting'"),
        ("ix_jobs_running", ["holder", "kind", "site"], "state = 'running'"),
        ("ix_jobs_running_camera", ["camera"], "state = 'running'"),
        ("uq_jobs_key", ["key"], "state IN ('queued', 'waiting', 'running', 'paused')"),
        ("ix_jobs_finished", ["kind", "finished_at"], "state IN ('done', 'failed', 'cancelled')"),
    ):
        only = sa.text(state)
        unique = name.startswith("uq_")
        op.create_index(name, "jobs", columns, unique=unique, sqlite_where=only, postgresql_where=only)
    op.create_index(op.f("ix_jobs_kind_id"), "jobs", ["kind", "id"])
    op.create_index(op.f("ix_jobs_state_id"), "jobs", ["state", "id"])
    op.create_index(op.f("ix_jobs_camera_id"), "jobs", ["camera", "id"])
    op.create_index(op.f("ix_jobs_work"), "jobs", ["work"])
    op.create_table(
        "job_events",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_events")),
    )
    op.create_index(op.f("ix_job_events_job_id"), "job_events", ["job", "id"])
    op.create_index(op.f("ix_job_events_at"), "job_events", ["at"])


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=True),
        sa.Column("cadence", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("setting", sa.String(), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=True),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
        sa.UniqueConstraint("name", name=op.f("uq_schedules_name")),
    )
    op.create_table(
        "due",
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("next_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["camera"], ["cameras.id"], name=op.f("fk_due_camera"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("camera", "what", name=op.f("pk_due")),
    )
    op.create_index(op.f("ix_due_what_next_at"), "due", ["what", "next_at"])


def downgrade() -> None:
    # Whoever was looked at is due at once: that is how it was after a long stop as well.
    op.add_column(
        "picture_watches",
        sa.Column("next_at", sa.DateTime(), nullable=False, server_default="2000-01-01 00:00:00.000000"),
    )
    op.create_index(op.f("ix_picture_watches_next_at"), "picture_watches", ["next_at"])
    for table in ("due", "schedules", "job_events", "jobs"):
        op.drop_table(table)
