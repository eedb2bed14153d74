"""Accounts: `/ISAPI/Security/users`, those of ONVIF apart from them, and what a login is told of itself.

Firmware from V5.6 on wants the caller's own password beside that of the account (`loginPassword`).
"""

import re
from dataclasses import dataclass

from simulator.accounts import LONGEST_NAME, MOST_ACCOUNTS, RULES
from simulator.api import Answer, Call, Page, needs
from simulator.auth import Entry
from simulator.isapi.documents import (
    BAD_METHOD,
    BAD_PARAMETERS,
    INVALID,
    OK,
    Element,
    Given,
    Told,
    answer,
    element,
    given,
    reading,
    said,
    word,
)
from simulator.plan import Account, CameraPlan, Role, Store
from simulator.vendors import VENDORS

_NUMBERS = re.compile(r"\d+")
_WANTS_OWN_PASSWORD_FROM = (5, 6)


def release(plan: CameraPlan) -> tuple[int, ...]:
    return tuple(int(number) for number in _NUMBERS.findall(plan.firmware)[:2])


@dataclass(frozen=True, slots=True)
class Accounts:
    """One of the two lists: where it is, whose it is, and the words for a level in it."""

    path: str
    store: Store
    level: str
    levels: dict[str, Role]

    def page(self) -> Page:
        return Page(needs("admin"), reading(self._answer))

    def _answer(self, call: Call) -> Answer:
        number = call.request.path.removeprefix(self.path).removeprefix("/")
        if number:
            return self._one(call, number)
        if call.request.method == "GET":
            rows = (self._row(n, a) for n, a in enumerate(call.device.plan.accounts_of(self.store), 1))
            return answer(call, element("UserList", *rows))
        if call.request.method != "POST":
            return said(call, BAD_METHOD)
        return self._add(call)

    def _one(self, call: Call, number: str) -> Answer:
        device, accounts = call.device, call.device.plan.accounts_of(self.store)
        if not number.isdigit() or not 1 <= int(number) <= len(accounts):
            return said(call, INVALID)
        account = accounts[int(number) - 1]
        if call.request.method == "GET":
            return answer(call, self._row(int(number), account))
        if call.request.method == "DELETE":
            if account.name == VENDORS["hikvision"].admin and self.store == "web":
                return said(call, INVALID)
            device.remove_accounts(self.store, [account.name])
            return said(call, OK)
        if call.request.method != "PUT":
            return said(call, BAD_METHOD)
        found = self._given(call)
        if found.need("id") != number or found.need("userName") != account.name:
            return said(call, BAD_PARAMETERS)
        password = found.said("password")
        if password is not None:
            _check_password(password)
        role = self._role(found) if found.said(self.level) is not None else None
        device.modify_account(self.store, account.name, password=password, role=role)
        return said(call, OK)

    def _add(self, call: Call) -> Answer:
        found, known = self._given(call), call.device.plan.accounts_of(self.store)
        name, password = found.need("userName"), found.need("password")
        _check_password(password)
        if not 0 < len(name) <= LONGEST_NAME:
            raise Told(BAD_PARAMETERS)
        if any(a.name == name for a in known) or len(known) >= MOST_ACCOUNTS:
            raise Told(INVALID)
        call.device.create_accounts(self.store, [Account(name, password, self._role(found))])
        return said(call, OK)

    def _given(self, call: Call) -> Given:
        found = given(call.device.plan, call.request.body, "User")
        if self.store == "web" and release(call.device.plan) >= _WANTS_OWN_PASSWORD_FROM:
            own = found.need("loginPassword")
            if call.caller is None or own != call.caller.password:
                raise Told(INVALID)
        return found

    def _role(self, found: Given) -> Role:
        role = self.levels.get(found.need(self.level))
        if role is None:
            raise Told(BAD_PARAMETERS)
        return role

    def _row(self, number: int, account: Account) -> Element:
        level = next(word for word, role in self.levels.items() if role == account.role)
        return element("User", id=str(number), userName=account.name, **{self.level: level})


def _check_password(password: str) -> None:
    rule = RULES["hikvision"]
    if rule.too_weak(password) or rule.too_long(password):
        raise Told(BAD_PARAMETERS)


WEB = Accounts(
    "/ISAPI/Security/users",
    "web",
    "userLevel",
    {"Administrator": "Administrator", "Operator": "Operator", "Viewer": "User"},
)
ONVIF = Accounts(
    "/ISAPI/Security/ONVIF/users",
    "onvif",
    "userType",
    {"administrator": "Administrator", "operator": "Operator", "mediaUser": "User"},
)


# --- what a login is told of itself ---


def _user_check(call: Call) -> Answer:
    if call.request.method != "GET":
        return said(call, BAD_METHOD)
    caller = call.caller
    pair = (caller.name, caller.password) if caller else ("", "")
    root = element(
        "userCheck",
        statusValue="200",
        statusString="OK",
        isDefaultPassword=word(pair in VENDORS["hikvision"].defaults),
        isRiskPassword=word(RULES["hikvision"].too_weak(pair[1])),
        isActivated="true",
    )
    return answer(call, root)


def turned_away(call: Call, entry: Entry | None) -> Element:
    """userCheck for somebody who is not let in: is it locked, for how long, and how many tries are left."""
    guard = call.device.guard
    locked = entry is Entry.LOCKED
    lock = {"lockStatus": "lock", "unlockTime": str(guard.locked_for_s)} if locked else {"lockStatus": "unlock"}
    left = "0" if locked else str(guard.tries_left)
    return element("userCheck", statusValue="401", statusString="Unauthorized", **lock, retryLoginTime=left)


USER_CHECK = Page(needs("viewer"), _user_check)
