"""Who may do what, as one table: permissions, roles, and which role includes which permission. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Permission(StrEnum):
    """What a route asks of its visitor, said aloud in every row.

    `public` is the same for everybody, so nobody is asked who they are; `anyone` may come in but is recognised.
    """

    PUBLIC = "public"
    ANYONE = "anyone"
    READ = "read"
    TRIAGE = "triage"
    SCAN = "scan"
    PLAN = "plan"
    APPROVE = "approve"
    CHANGE = "change"
    COMMISSION = "commission"
    REVEAL = "reveal"
    AUDIT = "audit"
    ADMINISTER = "administer"


class Role(StrEnum):
    """What a grant gives. `service` is for machines: it opens nothing but what the scopes of a token name."""

    VIEWER = "viewer"
    AUDITOR = "auditor"
    INTEGRATOR = "integrator"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMINISTRATOR = "administrator"
    SERVICE = "service"


OPEN = frozenset({Permission.PUBLIC, Permission.ANYONE})
# About the whole estate and no single site: only a grant for everywhere gives these.
ESTATE_WIDE = frozenset({Permission.AUDIT, Permission.ADMINISTER})
# What a token can be given. It tells no password and looks after nobody.
OF_TOKENS = (
    *(Permission.READ, Permission.SCAN, Permission.TRIAGE, Permission.PLAN, Permission.APPROVE),
    *(Permission.CHANGE, Permission.COMMISSION, Permission.AUDIT),
)

# An operator carries out what is approved and approves nothing: where four eyes are wanted, the second pair is somebody
# else's. A person who is alone with an estate is its administrator, and may do both.
PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Permission.READ}),
        Role.AUDITOR: frozenset({Permission.READ, Permission.AUDIT}),
        Role.INTEGRATOR: frozenset({Permission.READ, Permission.SCAN, Permission.COMMISSION}),
        Role.OPERATOR: frozenset(
            {
                *(Permission.READ, Permission.TRIAGE, Permission.SCAN),
                *(Permission.PLAN, Permission.CHANGE, Permission.COMMISSION),
            }
        ),
        Role.APPROVER: frozenset({Permission.READ, Permission.APPROVE}),
        Role.ADMINISTRATOR: frozenset(Permission) - OPEN,
        Role.SERVICE: frozenset(OF_TOKENS),
    }
)
