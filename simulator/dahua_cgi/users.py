"""userManager.cgi: accounts in two groups, told apart further by a list of single rights.

Everything stands in the query, passwords too. Somebody's own password is changed by naming the old one; anybody
else's by an administrator who gives his own once more.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from simulator.accounts import LONGEST_NAME, MOST_ACCOUNTS, RULES
from simulator.api import Answer, Call, Page, needs
from simulator.dahua_cgi.words import OK, asked, bad, lines
from simulator.plan import Account, Role
from simulator.vendors import VENDORS

RIGHTS: Mapping[Role, tuple[str, ...]] = MappingProxyType(
    {
        "Administrator": (
            *("AuthUserMag", "AuthSysCfg", "AuthNetCfg", "AuthSecurity", "AuthMaintence", "AuthSysInfo"),
            *("AuthManuCtr", "AuthBackup", "AuthEventCfg", "AuthPTZ", "Monitor_01", "Replay_01"),
        ),
        "Operator": ("AuthManuCtr", "AuthPTZ", "Monitor_01", "Replay_01"),
        "User": ("Monitor_01", "Replay_01"),
    }
)
_WEAK = "Password Too Weak!"


def _group_of(role: Role) -> str:
    return "admin" if role == "Administrator" else "user"


def _role_of(group: str, rights: set[str]) -> Role | None:
    """None where there is no such group or right."""
    if group not in ("admin", "user") or not rights <= set(RIGHTS["Administrator"]):
        return None
    if group == "admin":
        return "Administrator"
    return "Operator" if any(right.startswith("Auth") for right in rights) else "User"


def _all(call: Call) -> Answer:
    rows: list[tuple[str, object]] = []
    for number, account in enumerate(call.device.plan.accounts_of("web")):
        own = f"users[{number}]"
        rows += [(f"{own}.AuthorityList[{n}]", right) for n, right in enumerate(RIGHTS[account.role])]
        rows += [
            (f"{own}.Group", _group_of(account.role)),
            (f"{own}.Id", number + 1),
            (f"{own}.Memo", f"{account.name} 's account"),
            (f"{own}.Name", account.name),
            (f"{own}.Reserved", "true" if account.name == VENDORS["dahua"].admin else "false"),
            (f"{own}.Sharable", "true"),
        ]
    return lines(rows)


def _add(call: Call) -> Answer:
    said, device = dict(asked(call)), call.device
    name, password = said.get("user.Name", ""), said.get("user.Password", "")
    rights = {text for key, text in said.items() if key.startswith("user.AuthorityList[")}
    role, known = _role_of(said.get("user.Group", ""), rights), device.plan.accounts_of("web")
    if not 0 < len(name) <= LONGEST_NAME or role is None or len(known) >= MOST_ACCOUNTS:
        return bad(call)
    if name in {a.name for a in known}:
        return bad(call)
    if _is_refused(password):
        return bad(call, _WEAK)
    device.create_accounts("web", [Account(name, password, role)])
    return OK


def _delete(call: Call) -> Answer:
    name = dict(asked(call)).get("name", "")
    if name not in _names(call) or name == VENDORS["dahua"].admin:
        return bad(call)
    call.device.remove_accounts("web", [name])
    return OK


def _own_password(call: Call) -> Answer:
    said = dict(asked(call))
    name = said.get("name", "")
    if name not in _names(call) or not _is_password_of(call, name, said.get("pwdOld", "")):
        return bad(call)
    return _change(call, name, said.get("pwd", ""))


def _password_by_manager(call: Call) -> Answer:
    """`accountType` 1 means ONVIF's accounts, where those are others."""
    said = dict(asked(call))
    name, manager, kind = said.get("userName", ""), said.get("managerName", ""), said.get("accountType", "0")
    managers = {a.name for a in call.device.plan.accounts_of("web") if a.role == "Administrator"}
    if manager not in managers or not _is_password_of(call, manager, said.get("managerPwd", "")):
        return bad(call)
    if kind != "0" or name not in _names(call):
        return bad(call)
    return _change(call, name, said.get("pwd", ""))


def _change(call: Call, name: str, password: str) -> Answer:
    if _is_refused(password):
        return bad(call, _WEAK)
    call.device.modify_account("web", name, password=password)
    return OK


def _names(call: Call) -> set[str]:
    return {a.name for a in call.device.plan.accounts_of("web")}


def _is_password_of(call: Call, name: str, password: str) -> bool:
    return any(a.name == name and a.password == password for a in call.device.plan.accounts_of("web"))


def _is_refused(password: str) -> bool:
    rule = RULES["dahua"]
    return rule.too_weak(password) or rule.too_long(password)


_ACTIONS: Mapping[str, Callable[[Call], Answer]] = MappingProxyType(
    {
        "getUserInfoAll": _all,
        "addUser": _add,
        "deleteUser": _delete,
        "modifyPassword": _own_password,
        "modifyPasswordByManager": _password_by_manager,
    }
)


def _user_manager(call: Call) -> Answer:
    return _ACTIONS.get(dict(asked(call)).get("action", ""), bad)(call)


USER_MANAGER = Page(needs("admin"), _user_manager)
