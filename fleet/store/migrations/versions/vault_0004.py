"""Sealed passwords, and how they are changed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _vault()
    _rotations()


def _vault() -> None:
    op.create_table(
        "vault_passwords",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_passwords")),
        sa.UniqueConstraint("camera", "account", "version", name=op.f("uq_vault_passwords_camera_account_version")),
    )
    for state in ("current", "sealed"):
        op.create_index(
            f"uq_vault_passwords_{state}",
            "vault_passwords",
            ["camera", "account"],
            unique=True,
            sqlite_where=sa.text(f"state = '{state}'"),
            postgresql_where=sa.text(f"state = '{state}'"),
        )
    op.create_table(
        "vault_logins",
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("camera", name=op.f("pk_vault_logins")),
    )
    op.create_table(
        "vault_reveals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_reveals")),
    )
    op.create_index(op.f("ix_vault_reveals_camera_id"), "vault_reveals", ["camera", "id"])


def _rotations() -> None:
    op.create_table(
        "rotations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rotations")),
    )
    op.create_table(
        "rotation_cameras",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("rotation", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("old_version", sa.Integer(), nullable=True),
        sa.Column("new_version", sa.Integer(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("wrong_tries", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rotation"], ["rotations.id"], name=op.f("fk_rotation_cameras_rotation"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rotation_cameras")),
    )
    op.create_index(op.f("ix_rotation_cameras_rotation"), "rotation_cameras", ["rotation"])
    op.create_index(op.f("ix_rotation_cameras_camera_account_id"), "rotation_cameras", ["camera", "account", "id"])
    op.create_index(
        "uq_rotation_cameras_open",
        "rotation_cameras",
        ["camera", "account"],
        unique=True,
        sqlite_where=sa.text("state NOT IN ('current', 'undone')"),
        postgresql_where=sa.text("state NOT IN ('current', 'undone')"),
    )
    op.create_table(
        "rotation_events",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("rotation", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rotation_events")),
    )
    op.create_index(op.f("ix_rotation_events_rotation_id"), "rotation_events", ["rotation", "id"])
    op.create_index(op.f("ix_rotation_events_camera_id"), "rotation_events", ["camera", "id"])


def downgrade() -> None:
    for table in ("rotation_events", "rotation_cameras", "rotations", "vault_reveals", "vault_logins"):
        op.drop_table(table)
    op.drop_table("vault_passwords")
