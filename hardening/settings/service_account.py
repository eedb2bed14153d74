"""An account for machines that may do only what it needs, so that nothing runs with the administrator's password.

The password never stands in a baseline: whoever applies the plan gives it.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from cameras.driver import Driver
from cameras.facts import Accounts
from cameras.secret import Credential
from hardening.model import Compared, Parameters, PasswordFor, Setting, drift, in_order

_MOST_NAME = 32


class ServiceAccount(Parameters):
    name: Annotated[str, Field(min_length=1, max_length=_MOST_NAME, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    role: Literal["Operator", "User"]


@dataclass(frozen=True, slots=True)
class AccountState:
    """`role` is `None` where there is no such account."""

    name: str
    role: str | None


async def _observe(driver: Driver) -> Accounts:
    return await driver.accounts()


def _state(fact: Accounts, wanted: AccountState) -> AccountState:
    role = next((account.role for account in fact.users if account.name == wanted.name), None)
    return AccountState(wanted.name, role)


def _judge(seen: AccountState, wanted: AccountState) -> Compared:
    return (in_order if seen.role == wanted.role else drift)(*_words(seen))


def _obstacle(seen: AccountState, wanted: AccountState) -> str | None:
    if seen.role is None or seen.role == wanted.role or wanted.role is None:
        return None
    return f"an account {seen.name!r} is there as {seen.role}, and it may be somebody's: choose another name"


async def _tell(driver: Driver, wanted: AccountState, password_for: PasswordFor) -> None:
    """Without a role, the account is removed: the way back from having made it."""
    if wanted.role is None:
        await driver.remove_account(wanted.name)
        return
    password = await password_for(wanted.name)
    role: Literal["Operator", "User"] = "Operator" if wanted.role == "Operator" else "User"
    await driver.create_account(Credential(wanted.name, password), role)


def _words(state: AccountState) -> tuple[str]:
    return (f"account {state.name}: {state.role or 'none'}",)


SETTING = Setting(
    name="service-account",
    title="There is an account that may do only what it needs",
    parameters=ServiceAccount,
    observe=_observe,
    wanted=lambda given: AccountState(given.name, given.role),
    state=_state,
    judge=_judge,
    tell=_tell,
    words=_words,
    shape=AccountState,
    back=lambda seen: seen if seen.role is None else None,
    obstacle=_obstacle,
)
