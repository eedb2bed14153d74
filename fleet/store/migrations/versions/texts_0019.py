"""Findings know the site of their camera, and are found by any part of what they say; incidents listed by an index."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_AT_ONCE = 5_000
_SITES = "UPDATE findings SET site = (SELECT site FROM cameras WHERE cameras.id = findings.camera)"
_ROWS = sa.text("SELECT id, check_id, subject, summary FROM findings WHERE id > :after ORDER BY id LIMIT :most")
_ADD = sa.text(
    "INSERT INTO finding_texts (number, text, worded) VALUES (:number, :text, 1) ON CONFLICT (number) DO NOTHING"
)
_SAY = sa.text("UPDATE findings SET said = :said WHERE id = :id")


def upgrade() -> None:
    op.create_table(
        "finding_texts",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("worded", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_finding_texts")),
    )
    op.add_column("findings", sa.Column("site", sa.String(), nullable=True))
    op.add_column("findings", sa.Column("said", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(_SITES)
    _say()
    op.create_index(op.f("ix_finding_texts_worded"), "finding_texts", ["worded"])
    op.create_index(op.f("ix_findings_site_severity_id"), "findings", ["site", "severity", "id"])
    op.create_index(op.f("ix_findings_said"), "findings", ["said"])
    op.drop_index(op.f("ix_picture_incidents_part_of"), "picture_incidents")
    op.create_index(op.f("ix_picture_incidents_part_of_id"), "picture_incidents", ["part_of", "id"])
    still = sa.text("closed_at IS NULL")
    op.create_index(
        "ix_picture_incidents_open", "picture_incidents", ["camera"], sqlite_where=still, postgresql_where=still
    )


def _say() -> None:
    connection, after = op.get_bind(), ""
    while rows := connection.execute(_ROWS, {"after": after, "most": _AT_ONCE}).all():
        texts = {row.id: f"{row.check_id}\n{row.subject}\n{row.summary}".casefold() for row in rows}
        numbers = {
            text: int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1 for text in set(texts.values())
        }
        connection.execute(_ADD, [{"number": number, "text": text} for text, number in numbers.items()])
        connection.execute(_SAY, [{"id": finding, "said": numbers[text]} for finding, text in texts.items()])
        after = rows[-1].id


def downgrade() -> None:
    op.drop_index("ix_picture_incidents_open", "picture_incidents")
    op.drop_index(op.f("ix_picture_incidents_part_of_id"), "picture_incidents")
    op.create_index(op.f("ix_picture_incidents_part_of"), "picture_incidents", ["part_of"])
    op.drop_index(op.f("ix_findings_said"), "findings")
    op.drop_index(op.f("ix_findings_site_severity_id"), "findings")
    op.drop_column("findings", "said")
    op.drop_column("findings", "site")
    op.drop_table("finding_texts")
