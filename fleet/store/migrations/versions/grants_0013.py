"""Grants instead of one role for each person, sites and addresses of tokens, and where a scan looked.

Whoever could approve before still can: an operator becomes operator and approver, a token that may change may approve.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from fleet.store.ids import new_id

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_BECOMES = {"operator": ("operator", "approver")}
_MADE_BY = "camwarden (from one role for each person)"
_STRONGEST_FIRST = ("administrator", "operator", "viewer")
# What no password has as its hash.
_NO_PASSWORD = "!"  # noqa: S105 - there is none

_people = sa.table("people", *map(sa.column, ("id", "name", "role", "disabled_at", "password_hash")))
_tokens = sa.table(
    "api_tokens",
    *map(sa.column, ("id", "created_by", "person")),
    sa.column("everywhere", sa.Boolean()),
    *(sa.column(name, sa.JSON()) for name in ("scopes", "sites", "addresses")),
    sa.column("revoked_at", sa.DateTime()),
)
_grants = sa.table(
    "grants",
    *map(sa.column, ("id", "person", "role", "made_by", "ended_by")),
    sa.column("everywhere", sa.Boolean()),
    sa.column("sites", sa.JSON()),
    *(sa.column(name, sa.DateTime()) for name in ("until", "made_at", "ended_at")),
)


def upgrade() -> None:
    op.create_table(
        "grants",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("everywhere", sa.Boolean(), nullable=False),
        sa.Column("sites", sa.JSON(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=True),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_grants_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    op.create_index(op.f("ix_grants_person"), "grants", ["person"])
    op.create_table(
        "scan_sites",
        sa.Column("scan", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["scan"], ["scans.id"], name=op.f("fk_scan_sites_scan"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("scan", "site", name=op.f("pk_scan_sites")),
    )
    op.create_index(op.f("ix_scan_sites_site"), "scan_sites", ["site"])
    op.add_column("scan_not_evaluated", sa.Column("site", sa.String(), nullable=True))
    op.create_index(op.f("ix_picture_checks_picture"), "picture_checks", ["picture"])
    op.add_column("people", sa.Column("disabled_at", sa.DateTime(), nullable=True))
    op.add_column("api_tokens", sa.Column("person", sa.String(), nullable=True))
    op.add_column("api_tokens", sa.Column("everywhere", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("api_tokens", sa.Column("sites", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("api_tokens", sa.Column("addresses", sa.JSON(), nullable=False, server_default="[]"))
    _grant_roles()
    _bind_tokens()
    op.drop_column("people", "role")


def _grant_roles() -> None:
    connection = op.get_bind()
    common = {"made_by": _MADE_BY, "made_at": datetime.now(UTC).replace(tzinfo=None)}
    common |= {"everywhere": True, "sites": [], **dict.fromkeys(("until", "ended_by", "ended_at"))}
    rows = [
        {"id": new_id(), "person": person.id, "role": role, **common}
        for person in connection.execute(sa.select(_people.c.id, _people.c.role)).all()
        for role in _BECOMES.get(person.role, (person.role,))
    ]
    if rows:
        connection.execute(sa.insert(_grants), rows)


def _bind_tokens() -> None:
    """A token is worth what its maker may; one made at the command line has no maker who could lose a grant."""
    connection = op.get_bind()
    people = {row.name: row.id for row in connection.execute(sa.select(_people.c.id, _people.c.name)).all()}
    for row in connection.execute(sa.select(_tokens.c.id, _tokens.c.created_by, _tokens.c.scopes)).all():
        scopes = [*row.scopes, *(["approve"] if "change" in row.scopes else [])]
        values = {"person": people.get(row.created_by), "scopes": scopes}
        connection.execute(sa.update(_tokens).where(_tokens.c.id == row.id).values(values))


def downgrade() -> None:
    op.add_column("people", sa.Column("role", sa.String(), nullable=False, server_default="viewer"))
    _give_roles()
    op.drop_column("api_tokens", "addresses")
    op.drop_column("api_tokens", "sites")
    op.drop_column("api_tokens", "everywhere")
    op.drop_column("api_tokens", "person")
    op.drop_column("people", "disabled_at")
    op.drop_index(op.f("ix_picture_checks_picture"), "picture_checks")
    op.drop_column("scan_not_evaluated", "site")
    op.drop_table("scan_sites")
    op.drop_table("grants")


def _give_roles() -> None:
    """The strongest that holds everywhere. Whoever has none could then read every site, so they are kept out."""
    connection = op.get_bind()
    now = datetime.now(UTC).replace(tzinfo=None)
    lasting = sa.and_(_grants.c.ended_at.is_(None), sa.or_(_grants.c.until.is_(None), _grants.c.until > now))
    held = connection.execute(
        sa.select(_grants.c.person, _grants.c.role).where(lasting, _grants.c.everywhere.is_(True))
    ).all()
    for person in connection.execute(sa.select(_people.c.id, _people.c.disabled_at)).all():
        roles = {"viewer" if row.role not in _STRONGEST_FIRST else row.role for row in held if row.person == person.id}
        values = {"role": next((role for role in _STRONGEST_FIRST if role in roles), "viewer")}
        if not roles or person.disabled_at is not None:
            values["password_hash"] = _NO_PASSWORD
        connection.execute(sa.update(_people).where(_people.c.id == person.id).values(values))
    _drop_narrow_tokens(connection)


def _drop_narrow_tokens(connection: sa.Connection) -> None:
    """A token that was held to some sites or addresses would be worth more than was given."""
    now = datetime.now(UTC).replace(tzinfo=None)
    for row in connection.execute(sa.select(_tokens).where(_tokens.c.revoked_at.is_(None))).all():
        if not row.everywhere or row.addresses:
            connection.execute(sa.update(_tokens).where(_tokens.c.id == row.id).values(revoked_at=now))
