"""Carries out what `hardening.passwords` says is next, one step after the other, each written down before the next.

Errors of the camera are evidence and nothing is raised for them. What is raised (by the journal: the store is gone)
leaves the row as it was last written, and whoever comes next goes on from there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from typing import Protocol

from cameras.driver import AccountStore, Driver
from cameras.errors import DeviceError, LockedOut, Refused, Unauthorized, Unreachable, Unsupported
from cameras.secret import Credential, Secret
from hardening.passwords import (
    Answer,
    Evidence,
    Look,
    Move,
    PutBack,
    Seal,
    Send,
    Settle,
    State,
    Try,
    Wait,
    next_action,
)

# One to spend and one to keep.
NEEDED_TRIES = 2
_MOST_STEPS = 200
_NEVER_MADE = "the password was never made"


class Journal(Protocol):
    """Where a rotation is written down. Each method has committed when it returns."""

    async def keep(self, state: State, evidence: Evidence) -> None: ...

    async def seal(self, evidence: Evidence) -> Secret:
        """Make a new password, keep it in the vault, and move to "sealed": both or neither."""
        ...

    async def settle(self, state: State, evidence: Evidence, reason: str) -> None:
        """The end, and what it means for the passwords in the vault: both or neither."""
        ...


@dataclass(frozen=True, slots=True)
class Camera:
    """One account of one camera, and the ways to it.

    `login` makes the credential to log in with out of the password that our account has now. `tries_left` is the
    budget's. `known_stores` is where an earlier rotation found accounts, so that they are not looked for again.
    """

    account: str
    old: Secret
    new: Secret | None
    login: Callable[[Secret], Credential]
    open: Callable[[Credential], AbstractAsyncContextManager[Driver]]
    works: Callable[[AccountStore, Credential], Awaitable[bool]]
    tries_left: Callable[[], int]
    known_stores: tuple[AccountStore, ...] = ()


@dataclass(frozen=True, slots=True)
class Patience:
    """The first wait of each kind; each further one is twice as long. In all some 30 s and 5 min."""

    late_s: float = 1.0
    silent_s: float = 5.0

    def seconds(self, wait: Wait) -> float:
        first = self.late_s if wait.why == "late" else self.silent_s
        return first * float(2**wait.number)


class PasswordChange:
    """The change of one camera's password, from wherever it stands until it rests, or until `stop` is set.

    `step` is called at each boundary between two steps. `withdrawn` says that somebody wants it not to go on: that
    ends it while nothing was sent, and counts for nothing after.
    """

    def __init__(
        self,
        camera: Camera,
        journal: Journal,
        patience: Patience | None = None,
        *,
        stop: asyncio.Event | None = None,
        withdrawn: Callable[[], bool] = lambda: False,
        step: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._camera = camera
        self._journal = journal
        self._patience = patience or Patience()
        self._stop = stop or asyncio.Event()
        self._withdrawn = withdrawn
        self._step = step
        self._new = camera.new

    async def run(self, state: State, evidence: Evidence) -> State:
        """The state in which it rests; another one where it was stopped or withdrawn. Raises what the journal does."""
        if (found := evidence.resumed()) != evidence:
            evidence = found
            await self._keep(state, evidence)
        for _ in range(_MOST_STEPS):
            if state.resting or self._stop.is_set() or (self._withdrawn() and not state.may_be_new):
                return state
            state, evidence = await self._do(state, evidence)
        raise AssertionError("the change of a password does not come to an end")

    async def _do(self, state: State, evidence: Evidence) -> tuple[State, Evidence]:
        action = next_action(state, evidence)
        self._step(f"{state}: next is {type(action).__name__}")
        match action:
            case Settle():
                await self._journal.settle(action.to, evidence, action.reason)
                self._step(f"{action.to}: kept")
                return action.to, evidence
            case Seal():
                self._new = await self._journal.seal(evidence)
                self._step("sealed: kept")
                return State.SEALED, evidence
            case Send():
                return await self._send(evidence)
            case Move():
                return await self._keep(action.to, evidence)
            case Wait():
                return await self._wait(state, evidence, action)
            case Look():
                return await self._look(evidence)
            case Try():
                return await self._try(state, evidence, action)
            case PutBack():
                return await self._put_back(evidence)

    async def _keep(self, state: State, evidence: Evidence) -> tuple[State, Evidence]:
        await self._journal.keep(state, evidence)
        self._step(f"{state}: kept")
        return state, evidence

    async def _wait(self, state: State, evidence: Evidence, wait: Wait) -> tuple[State, Evidence]:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), self._patience.seconds(wait))
            return state, evidence
        return await self._keep(state, evidence.waited() if wait.why == "late" else replace(evidence, rest=False))

    async def _look(self, evidence: Evidence) -> tuple[State, Evidence]:
        camera = self._camera
        before = camera.tries_left()
        if before < NEEDED_TRIES:
            trouble = "only one login is left that may be wrong, and it is kept; wait 30 minutes"
            return await self._keep(State.PLANNED, replace(evidence, trouble=trouble))
        await self._keep(State.PLANNED, replace(evidence, begun="look"))
        try:
            async with camera.open(camera.login(camera.old)) as driver:
                evidence = replace(evidence, stores=camera.known_stores or tuple(await driver.account_stores()))
        except DeviceError as error:
            evidence = replace(evidence, trouble=str(error))
        spent = max(0, before - camera.tries_left())
        evidence = replace(evidence, wrong=evidence.wrong + spent)
        if spent and evidence.stores and not evidence.trouble:
            evidence = replace(evidence, trouble=_KNOWN_NOW)
        elif not evidence.stores and not evidence.trouble:
            evidence = replace(evidence, trouble="it asks nobody for a password, so that none can be proved")
        self._step("planned: looked")
        return await self._keep(State.PLANNED, evidence)

    async def _send(self, evidence: Evidence) -> tuple[State, Evidence]:
        camera = self._camera
        state = State.SEALED
        before = camera.tries_left()
        try:
            async with camera.open(camera.login(camera.old)) as driver:
                state, _ = await self._keep(State.SENDING, replace(evidence, begun="send"))
                await driver.set_password(camera.account, self._made())
                self._step("sending: said yes")
            evidence = replace(evidence, said="yes")
        except (Refused, Unsupported, Unauthorized) as error:
            evidence = _refused_change(state, evidence, error)
        except DeviceError as error:
            evidence = _refused_change(state, evidence, error) if state is State.SEALED else _unknown_change(evidence)
        if state is State.SEALED:
            return await self._keep(
                state, replace(evidence, wrong=evidence.wrong + max(0, before - camera.tries_left()))
            )
        evidence = evidence.spent_in_sending(max(0, before - camera.tries_left()))
        return await self._keep(State.SENT if evidence.said == "yes" else State.PROVING, evidence)

    async def _try(self, state: State, evidence: Evidence, attempt: Try) -> tuple[State, Evidence]:
        camera = self._camera
        password = camera.old if attempt.which == "old" else self._made()
        await self._keep(state, replace(evidence, begun=attempt.name))
        before = camera.tries_left()
        try:
            works = await camera.works(attempt.store, Credential(camera.account, password))
            evidence = evidence.answered(attempt.name, Answer.WORKS if works else Answer.REFUSED)
        except (LockedOut, Unsupported, Unauthorized) as error:
            if camera.tries_left() < before:
                evidence = evidence.answered(attempt.name, Answer.UNKNOWN)
            evidence = replace(evidence, begun=None, trouble=str(error))
        except DeviceError:
            # Unreachable, and what is neither yes nor no. A login that was cut off may have been counted.
            if camera.tries_left() < before:
                evidence = evidence.answered(attempt.name, Answer.UNKNOWN)
            evidence = evidence.silent()
        self._step(f"{state}: tried {attempt.name}")
        return await self._keep(state, evidence)

    async def _put_back(self, evidence: Evidence) -> tuple[State, Evidence]:
        camera, state = self._camera, State.UNDOING
        begun = False
        try:
            async with camera.open(camera.login(self._made())) as driver:
                await self._keep(state, replace(evidence, begun="put-back"))
                begun = True
                await driver.set_password(camera.account, camera.old)
                self._step("undoing: said yes")
            evidence = replace(evidence, put_back="yes", answers={})
        except Unreachable:
            evidence = replace(evidence, put_back="silence") if begun else evidence.silent()
        except DeviceError as error:
            evidence = replace(evidence, put_back="no") if begun else replace(evidence, trouble=str(error))
        return await self._keep(state, evidence)

    def _made(self) -> Secret:
        if self._new is None:
            raise AssertionError(_NEVER_MADE)
        return self._new


_KNOWN_NOW = (
    "its web server refuses the account that ONVIF takes, which is known from now on and will not be asked again; "
    "start again in half an hour"
)


def _refused_change(state: State, evidence: Evidence, error: DeviceError) -> Evidence:
    """It said no. Before anything was sent that is the end; after, the old password has to prove it."""
    return replace(evidence, trouble=str(error)) if state is State.SEALED else replace(evidence, said="no")


def _unknown_change(evidence: Evidence) -> Evidence:
    return replace(evidence, said="silence").silent()
