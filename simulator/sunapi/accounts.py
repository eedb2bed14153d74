"""security.cgi's users: slots that are taken and freed, and the call that ends the factory default state.

Slot 0 is the vendor's own account. The others come with names of their own (user1 …), switched off. A list in text
begins with a line that names its columns.
"""

import itertools
import json
import re
from collections.abc import Mapping

from simulator.accounts import RULES
from simulator.api import TEXT, Answer, Call, Page
from simulator.plan import Account, CameraPlan, Role
from simulator.sunapi import secrets
from simulator.sunapi.dialect import JSON, Command, NotGood, Shown, asked, flag, is_old, need, word
from simulator.vendors import VENDORS

ADMIN = VENDORS["hanwha"].admin
MOST_SLOTS, RUN, SHORT = 10, 4, 9
RIGHTS = ("VideoProfileAccess", "PTZAccess", "AudioInAccess", "AudioOutAccess", "AlarmOutputAccess")
NEW_RIGHTS = (*RIGHTS, "AdminAccess", "PrivacyAreaAccess")
OLD_RIGHTS = (*RIGHTS, "ImageSettingAccess")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")


def rights(*, old: bool) -> tuple[str, ...]:
    return OLD_RIGHTS if old else NEW_RIGHTS


def _granted(role: Role) -> frozenset[str]:
    by_role: Mapping[Role, tuple[str, ...]] = {
        "Administrator": (*NEW_RIGHTS, *OLD_RIGHTS),
        "Operator": RIGHTS,
        "User": RIGHTS[:1],
    }
    return frozenset(by_role[role])


# --- slots ---


def slots(plan: CameraPlan) -> Mapping[int, Account]:
    """Taken slots. Who was given one keeps it; accounts of other origin take the lowest that are free."""
    accounts = {account.name: account for account in plan.accounts_of("web")}
    taken = {index: accounts.pop(name) for index, name in sorted(_kept(plan).items()) if name in accounts}
    if ADMIN in accounts:
        taken[0] = accounts.pop(ADMIN)
    free = (index for index in range(1, len(accounts) + len(taken) + MOST_SLOTS) if index not in taken)
    return dict(sorted({**taken, **{next(free): account for account in accounts.values()}}.items()))


def _kept(plan: CameraPlan) -> Mapping[int, str]:
    return {int(index): name for index, name in json.loads(dict(plan.parameters).get("sunapi.slots", "{}")).items()}


def _keep(call: Call, taken: Mapping[int, str]) -> None:
    """A fact of the camera and no setting: a camera that ignores settings keeps it too."""
    plan = call.device.plan
    kept = {**dict(plan.parameters), "sunapi.slots": json.dumps(taken)}
    call.device.remember(tuple(sorted(kept.items())))


# --- users ---


def _view(call: Call) -> Shown:
    """An administrator sees all, others themselves."""
    plan, old = call.device.plan, is_old(call)
    taken = slots(plan)
    columns = ("UserID", "Password", "Enable", *rights(old=old))
    lines, data = [f'"Users.Index={"/".join(columns)}"'], []
    wanted = asked(call).get("UserID")
    for index in range(max(MOST_SLOTS, *taken, 0) + 1):
        account = taken.get(index)
        name = account.name if account else (ADMIN if index == 0 else f"user{index}")
        if wanted not in (None, name) or not _may_see(call, name):
            continue
        held = _granted(account.role) if account else frozenset()
        row = {right: right in held for right in rights(old=old)}
        lines.append(f"Users.{index}={'/'.join((name, '', word(account is not None), *map(word, row.values())))}")
        data.append({"Index": index, "UserID": name, "Password": "", "Enable": account is not None, **row})
    return Shown(lines, {"Users": data})


def _may_see(call: Call, name: str) -> bool:
    return call.caller is None or call.caller.role == "Administrator" or call.caller.name == name


def _add(call: Call) -> Shown:
    said, taken = asked(call), slots(call.device.plan)
    if is_old(call):
        raise NotGood(601, "Action Not Found")
    index = next((n for n in range(1, MOST_SLOTS + 1) if n not in taken), None)
    if index is None:
        raise NotGood(602, "Invalid Parameter(s)")
    _create(call, index, need(said, "UserID"), _password(call, said, None))
    return Shown(["OK", f"Index={index}"], {"Response": "Success"})


def _update(call: Call) -> None:
    """Index and UserID name a slot; a free one is taken by switching it on, for which it needs a password."""
    said, device = asked(call), call.device
    index, name = _index(said), need(said, "UserID")
    taken = slots(device.plan)
    account = taken.get(index)
    if account is None:
        if index > MOST_SLOTS or not flag(said.get("Enable", "False")):
            raise NotGood(602, "Invalid Parameter(s)")
        _create(call, index, name, _password(call, said, None))
        return
    if name != account.name:
        raise NotGood(602, "Invalid Parameter(s)")
    password = _password(call, said, account) if {"Password", "IsPasswordEncrypted"} & said.keys() else None
    if not flag(said.get("Enable", "True")):
        if password is None:
            raise NotGood(602, "Invalid Parameter(s)")
        _free(call, index)
        return
    role = _role(said, old=is_old(call)) if any(right in said for right in NEW_RIGHTS + OLD_RIGHTS) else None
    if index == 0 and role not in (None, "Administrator"):
        raise NotGood(602, "Invalid Parameter(s)")
    _keep(call, {n: a.name for n, a in taken.items()})
    device.modify_account("web", name, password=password, role=role)


def _remove(call: Call) -> None:
    said = asked(call)
    if is_old(call):
        raise NotGood(601, "Action Not Found")
    taken = slots(call.device.plan)
    by_name = next((n for n, account in taken.items() if account.name == said.get("UserID")), -1)
    _free(call, _index(said) if "Index" in said else by_name)


def _free(call: Call, index: int) -> None:
    taken = slots(call.device.plan)
    if index not in taken or index == 0:
        raise NotGood(602, "Invalid Parameter(s)")
    _keep(call, {n: account.name for n, account in taken.items() if n != index})
    call.device.remove_accounts("web", [taken[index].name])


def _check(call: Call) -> Shown:
    count = len(slots(call.device.plan)) - 1
    data = {"CurrentUserCount": count, "MaxUserCount": MOST_SLOTS}
    return Shown([f"{name}={value}" for name, value in data.items()], data)


def _create(call: Call, index: int, name: str, password: str) -> None:
    taken = slots(call.device.plan)
    if not _NAME.fullmatch(name) or any(account.name == name for account in taken.values()):
        raise NotGood(602, "Invalid Parameter(s)")
    _refuse_weak(name, password)
    _keep(call, {**{n: account.name for n, account in taken.items()}, index: name})
    call.device.create_accounts("web", [Account(name, password, _role(asked(call), old=is_old(call)))])


def _index(said: Mapping[str, str]) -> int:
    text = need(said, "Index")
    if not text.isdecimal():
        raise NotGood(602, "Invalid Parameter(s)")
    return int(text)


def _role(said: Mapping[str, str], *, old: bool) -> Role:
    """What an account may do, by what it was given."""
    held = {right for right in rights(old=old) if flag(said.get(right, "False"))}
    if "AdminAccess" in held:
        return "Administrator"
    return "Operator" if held - {"VideoProfileAccess"} else "User"


# --- passwords ---


def _password(call: Call, said: Mapping[str, str], account: Account | None) -> str:
    """Out of the body where it was encrypted, else out of the query."""
    if not flag(said.get("IsPasswordEncrypted", "False")):
        password = need(said, "Password")
    elif is_old(call):
        raise NotGood(602, "Invalid Parameter(s)")
    else:
        current, password = secrets.new_password(secrets.opened(call.request.body))
        own = account is not None and call.caller is not None and account.name == call.caller.name
        if own and current is None and "sunapi-asks-twice" in call.device.plan.quirks:
            raise NotGood(602, "Invalid Parameter(s)")
        if current is not None and (account is None or current != account.password):
            raise NotGood(602, "Invalid Parameter(s)")
    if account is not None:
        _refuse_weak(account.name, password)
    return password


def _refuse_weak(name: str, password: str) -> None:
    """Eight or nine characters need three kinds of them, more need two; no four in a row alike or one after another."""
    rule = RULES["hanwha"]
    kinds = sum(re.search(kind, password) is not None for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]"))
    few = kinds < (3 if len(password) <= SHORT else 2)
    if rule.too_weak(password) or rule.too_long(password) or few or password == name or _has_run(password):
        raise NotGood(602, "Invalid Parameter(s)")


def _has_run(text: str) -> bool:
    steps = [ord(after) - ord(before) for before, after in itertools.pairwise(text)]
    return any(steps[n] in (-1, 0, 1) and len(set(steps[n : n + RUN - 1])) == 1 for n in range(len(steps) - RUN + 2))


def _rsa(call: Call) -> Shown:
    if is_old(call):
        raise NotGood(600, "Submenu Not Found")
    return secrets.view(call)


USERS = {
    ("users", "view"): Command("viewer", _view),
    ("users", "add"): Command("admin", _add),
    ("users", "update"): Command("admin", _update),
    ("users", "remove"): Command("admin", _remove),
    ("users", "check"): Command("admin", _check),
    ("rsa", "view"): Command("viewer", _rsa),
}


# --- the first password ---


def _initialise(call: Call) -> Answer:
    """Open to everybody; sets the first password once."""
    said, device = asked(call), call.device
    if is_old(call):
        return Answer("Not Found", TEXT, 404)
    if said.get("msubmenu") == "statuscheck":
        state: dict[str, object] = {
            "Initialized": device.plan.setup_done,
            "Language": "English",
            "MaxChannel": 1,
            "SpecialType": "none",
            "NewPasswordPolicy": True,
            "MaxPasswordLength": RULES["hanwha"].longest,
            "Manufacturer": VENDORS["hanwha"].manufacturer,
        }
        if not device.plan.setup_done:
            state |= {"SupportedPublicKeyFormats": ["PKCS1"], "PublicKey": secrets.public_pem()}
        return Answer(json.dumps(state), JSON)
    if said.get("msubmenu") != "setinitpassword" or device.plan.setup_done:
        return Answer("NG\r\nError Code: 601\r\nAction Not Found\r\n")
    try:
        encrypted = flag(said.get("IsPasswordEncrypted", "False"))
        password = secrets.opened(call.request.body) if encrypted else need(said, "Password")
        _refuse_weak(ADMIN, password)
    except NotGood as refusal:
        return Answer(f"NG\r\nError Code: {refusal.code}\r\n{refusal.words}\r\n")
    device.create_accounts("web", [Account(ADMIN, password, "Administrator")])
    return Answer("OK\r\n")


INITIALISE = Page(lambda _call: None, _initialise)
