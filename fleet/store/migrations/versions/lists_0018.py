"""Indexes in the order of the lists; every camera has its place on the wall of pictures, and is found by its words."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_WALL = ("ix_picture_watches_well_seen_at_camera", ["well", "seen_at", "camera"])
_WALL_BY_LIGHT = ("ix_picture_watches_condition_well_seen_at_camera", ["condition", "well", "seen_at", "camera"])
_WATCHED = """
INSERT INTO picture_watches (camera, series, faults)
SELECT id, '{"watches": {}, "usual": {}}', '[]' FROM cameras
WHERE id NOT IN (SELECT camera FROM picture_watches)
"""
# They were due at once for not being watched.
_DUE = """
INSERT INTO due (camera, what, next_at)
SELECT id, 'pictures', first_seen FROM cameras
WHERE id NOT IN (SELECT camera FROM picture_watches)
AND id NOT IN (SELECT camera FROM due WHERE what = 'pictures')
"""
_PLACED = """
UPDATE picture_watches SET seen_at = coalesce(picture_at, seen_at), well = NOT EXISTS (
SELECT 1 FROM picture_incidents WHERE picture_incidents.camera = picture_watches.camera AND closed_at IS NULL)
"""


def upgrade() -> None:
    for name, kind, default in (
        ("well", sa.Boolean(), sa.true()),
        ("seen_at", sa.DateTime(), sa.text("'1970-01-01 00:00:00.000000'")),
    ):
        op.add_column("picture_watches", sa.Column(name, kind, nullable=False, server_default=default))
    for statement in (_DUE, _WATCHED, _PLACED):
        op.execute(sa.text(statement.replace(":", r"\:")))
    for name, columns in (_WALL, _WALL_BY_LIGHT):
        op.create_index(op.f(name), "picture_watches", columns)
    op.add_column("cameras", sa.Column("worded", sa.Integer(), nullable=False, server_default="0"))
    op.create_index(op.f("ix_cameras_worded"), "cameras", ["worded"])
    for column in ("vendor", "site"):
        op.drop_index(op.f(f"ix_cameras_{column}"), "cameras")
        op.create_index(op.f(f"ix_cameras_{column}_score_id"), "cameras", [column, "score", "id"])
    _accepted("state", "accepted_until")
    op.create_index(op.f("ix_findings_check_id_state_severity_id"), "findings", ["check_id", "state", "severity", "id"])


def _accepted(*columns: str) -> None:
    op.drop_index("ix_findings_accepted", "findings")
    where = sa.text("state = 'risk-accepted'")
    op.create_index("ix_findings_accepted", "findings", [*columns], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index(op.f("ix_findings_check_id_state_severity_id"), "findings")
    _accepted("accepted_until")
    for column in ("site", "vendor"):
        op.drop_index(op.f(f"ix_cameras_{column}_score_id"), "cameras")
        op.create_index(op.f(f"ix_cameras_{column}"), "cameras", [column])
    op.drop_index(op.f("ix_cameras_worded"), "cameras")
    op.drop_column("cameras", "worded")
    for name, _ in (_WALL_BY_LIGHT, _WALL):
        op.drop_index(op.f(name), "picture_watches")
    for name in ("seen_at", "well"):
        op.drop_column("picture_watches", name)
