"""pwdgrp.cgi and usergroup.cgi: accounts and their groups, errors as text with status 200."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from simulator.accounts import MOST_ACCOUNTS, RULES
from simulator.api import GROUPS, HTML, TEXT, Answer, Call, Page, needs
from simulator.plan import Account, Role
from simulator.vapix.parameters import release
from simulator.vendors import VENDORS

_NAME = re.compile(r"[a-zA-Z0-9]{1,14}")
_ANY_FIRST_NAME_FROM = (11, 5)
CONSULT, NO_NAME, NO_ACTION = (
    "Error: consult the system log file.",
    "Error: account user name.",
    "Error: action operation type.",
)


def _roles(subgroups: str) -> Role | None:
    """The role behind `admin:operator:viewer:ptz` in any order."""
    words = set(subgroups.split(":")) - {"ptz"}
    return next((role for role, groups in GROUPS.items() if words == set(groups)), None)


def _add(call: Call) -> str:
    form, device = call.form, call.device
    name, password, role = form.get("user", ""), form.get("pwd", ""), _roles(form.get("sgrp", ""))
    known = device.plan.accounts_of("web")
    if not _NAME.fullmatch(name):
        return NO_NAME
    if any(a.name == name for a in known) or role is None or _is_refused(password) or len(known) >= MOST_ACCOUNTS:
        return CONSULT
    device.create_accounts("web", [Account(name, password, role)])
    return f"Created account {name}."


def _update(call: Call) -> str:
    form, device = call.form, call.device
    name, password, subgroups = form.get("user", ""), form.get("pwd"), form.get("sgrp")
    if name not in {a.name for a in device.plan.accounts_of("web")}:
        return NO_NAME
    role = None if subgroups is None else _roles(subgroups)
    if (subgroups is not None and role is None) or (password is not None and _is_refused(password)):
        return CONSULT
    device.modify_account("web", name, password=password, role=role)
    return f"Modified account {name}."


def _remove(call: Call) -> str:
    name, device = call.form.get("user", ""), call.device
    if name not in {a.name for a in device.plan.accounts_of("web")}:
        return NO_NAME
    if name == VENDORS["axis"].admin and release(device.plan.firmware) < _ANY_FIRST_NAME_FROM:
        return CONSULT
    device.remove_accounts("web", [name])
    return f"Removed account {name}."


def _get(call: Call) -> str:
    accounts = call.device.plan.accounts_of("web")
    members = {
        "admin": [a.name for a in accounts if a.role == "Administrator"],
        "operator": [a.name for a in accounts if a.role != "User"],
        "viewer": [a.name for a in accounts],
        "ptz": [a.name for a in accounts if a.role != "User"],
        "digusers": [a.name for a in accounts],
    }
    return "".join(f'{group}="{",".join(names)}"\r\n' for group, names in members.items())


def _is_refused(password: str) -> bool:
    rule = RULES["axis"]
    return rule.too_weak(password) or rule.too_long(password) or not (password.isascii() and password.isprintable())


_ACTIONS: Mapping[str, Callable[[Call], str]] = MappingProxyType(
    {"add": _add, "update": _update, "remove": _remove, "get": _get}
)


def _pwdgrp(call: Call) -> Answer:
    action = call.form.get("action", "")
    if not call.device.plan.setup_done:
        return _first_account(call)
    if not action:
        return Answer(NO_ACTION, HTML)
    do = _ACTIONS.get(action)
    if do is None:
        return Answer(f"Error: malformed action operation, {action}.", HTML)
    return Answer(do(call), TEXT if action == "get" else HTML)


def _first_account(call: Call) -> Answer:
    """Nobody can log in yet: only an administrator with PTZ may be made, and called root before OS 11.5."""
    form = call.form
    if form.get("action") != "add":
        return Answer("Error: initial admin user must be created first.", HTML, 401)
    free = release(call.device.plan.firmware) >= _ANY_FIRST_NAME_FROM
    rights = set(form.get("sgrp", "").split(":"))
    if not {"admin", "ptz"} <= rights or not (free or form.get("user") == "root"):
        return Answer("Error: not a valid initial admin user.", HTML, 401)
    return Answer(_add(call), HTML)


def _usergroup(call: Call) -> Answer:
    if call.caller is None:
        return Answer("", TEXT)
    groups = [*GROUPS[call.caller.role], *(["ptz"] if call.caller.role != "User" else [])]
    return Answer(f"{call.caller.name}\r\n{' '.join(groups)}\r\n", TEXT)


PWDGRP = Page(lambda call: "admin" if call.device.plan.setup_done else None, _pwdgrp)
USERGROUP = Page(needs("viewer"), _usergroup)
