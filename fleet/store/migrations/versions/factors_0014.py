"""Second factors, steps between two proofs, single sign-on; sessions that can be listed and ended."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nobody's session says what was proved: they sign in again.
    op.drop_table("sessions")
    _sessions(
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        _person(),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("proof", sa.String(), nullable=False),
        sa.Column("proved_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )
    op.create_table(
        "app_secrets",
        _person(),
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("last_counter", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(), nullable=True),
        *_of_person("app_secrets"),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_app_secrets")),
    )
    op.create_table(
        "security_keys",
        sa.Column("id", sa.String(), nullable=False),
        _person(),
        sa.Column("credential", sa.String(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        *_of_person("security_keys"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_keys")),
        sa.UniqueConstraint("credential", name=op.f("uq_security_keys_credential")),
    )
    op.create_index(op.f("ix_security_keys_person"), "security_keys", ["person"])
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.String(), nullable=False),
        _person(),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        *_of_person("recovery_codes"),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_person"), "recovery_codes", ["person"])
    _between_steps()


def _between_steps() -> None:
    op.create_table(
        "pending_steps",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        *_of_person("pending_steps"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_pending_steps")),
    )
    op.create_index(op.f("ix_pending_steps_made_at"), "pending_steps", ["made_at"])
    op.create_index(op.f("ix_pending_steps_person"), "pending_steps", ["person"])
    op.create_table(
        "single_sign_ons",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        _person(),
        sa.Column("linked_at", sa.DateTime(), nullable=False),
        *_of_person("single_sign_ons"),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_single_sign_ons")),
        sa.UniqueConstraint("person", name=op.f("uq_single_sign_ons_person")),
    )


def downgrade() -> None:
    for table in ("single_sign_ons", "pending_steps", "recovery_codes", "security_keys", "app_secrets", "sessions"):
        op.drop_table(table)
    _sessions(
        sa.Column("token_hash", sa.String(), nullable=False),
        _person(),
        sa.Column("source", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )


def _sessions(*parts: sa.Column[Any] | sa.Constraint) -> None:
    op.create_table(
        "sessions",
        *parts,
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=False),
        *_of_person("sessions"),
    )
    op.create_index(op.f("ix_sessions_person"), "sessions", ["person"])
    op.create_index(op.f("ix_sessions_created_at"), "sessions", ["created_at"])


def _person() -> sa.Column[str]:
    return sa.Column("person", sa.String(), nullable=False)


def _of_person(table: str) -> tuple[sa.ForeignKeyConstraint]:
    name = op.f(f"fk_{table}_person")
    return (sa.ForeignKeyConstraint(["person"], ["people.id"], name=name, ondelete="CASCADE"),)
