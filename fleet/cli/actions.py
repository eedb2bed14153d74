"""Which commands change the store or a camera, and what the audit trail calls that. A test holds it to the commands."""

from collections.abc import Mapping
from types import MappingProxyType

from fleet.audit.trail import Action

# `None` reads only, or writes nothing but the file that it is told to.
ACTIONS: Mapping[str, Action | None] = MappingProxyType(
    {
        "analytics check": None,
        "analytics detect": None,
        "analytics replay": None,
        "analytics score": None,
        "assess": None,
        "audit checkpoint": Action.AUDIT_CHECKPOINT,
        "audit export": Action.AUDIT_EXPORT,
        "audit list": None,
        "audit verify": None,
        "bundle build": None,
        "bundle import": Action.BUNDLE_ADD,
        "bundle keygen": None,
        "bundle list": None,
        "bundle sign": None,
        "bundle verify": None,
        "checks": None,
        "commission report": Action.COMMISSIONING_HAND_OVER,
        "commission sign": Action.COMMISSIONING_SIGN,
        "commission start": Action.COMMISSIONING_START,
        "commission status": None,
        "commission verify": None,
        "db backup": None,
        "db check": None,
        "db restore": None,  # puts a whole store in place, its trail with it
        "db upgrade": None,  # as the service does when it starts
        "demo": None,  # a store of its own, which goes with it
        "discover": None,
        "doctor": None,
        "explain": None,
        "harden apply": Action.HARDENING_APPLY,
        "harden plan": None,
        "health approve": Action.PICTURE_APPROVE,
        "health check": None,
        "health judge": None,
        "passwords history": None,
        "passwords reconcile": Action.ROTATION_RECONCILE,
        "passwords reveal": Action.VAULT_REVEAL,
        "passwords rotate": Action.ROTATION_START,
        "passwords set": Action.VAULT_PUT,
        "rejudge": Action.FINDING_REJUDGE,
        "retention": None,  # as the service does once a day; what people did is never cut
        "rollout abort": Action.ROLLOUT_STOP,
        "rollout approve": Action.ROLLOUT_APPROVE,
        "rollout backup": Action.BACKUP_OPEN,
        "rollout create": Action.ROLLOUT_CREATE,
        "rollout pause": Action.ROLLOUT_PAUSE,
        "rollout resume": Action.ROLLOUT_RESUME,
        "rollout retry": Action.ROLLOUT_RETRY,
        "rollout start": Action.ROLLOUT_START,
        "rollout status": None,
        "rollout undo": Action.ROLLOUT_UNDO,
        "schedule add": Action.SCHEDULE_PUT,
        "schedule list": None,
        "schedule remove": Action.SCHEDULE_REMOVE,
        "schedule run": Action.SCHEDULE_RUN,
        "serve": Action.SERVICE_START,  # by the service itself: `fleet.service`
        "simulate": None,
        "site add": Action.SITE_CHANGE,
        "site change": Action.SITE_CHANGE,
        "site list": None,
        "site remove": Action.SITE_REMOVE,
        "token create": Action.TOKEN_CREATE,
        "token list": None,
        "token revoke": Action.TOKEN_REVOKE,
        "user add": Action.PERSON_ADD,
        "user disable": Action.PERSON_DISABLE,
        "user enable": Action.PERSON_ENABLE,
        "user end-sessions": Action.SESSION_END,
        "user grant": Action.GRANT_GIVE,
        "user list": None,
        "user passwd": Action.PERSON_PASSWORD,
        "user reset-factors": Action.FACTOR_RESET,
        "user revoke": Action.GRANT_END,
        "user sessions": None,
        "vault rotate-key": Action.VAULT_ROTATE_KEY,
    }
)
