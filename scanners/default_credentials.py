"""Does a documented default password still work? The only place that tries passwords, and it stops long before a
lock-out.

Order of safety: only pairs documented for the identified vendor; first a made-up account with a random password, which
must be refused; then each pair once; success only when a second, fresh connection confirms it; at the first word of a
lock-out nothing more. Every try is charged to the camera's one attempt budget. Results name a pair by id and never
carry its password.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import unquote

import httpx

from cameras.budget import AttemptBudget
from cameras.errors import DeviceError, Garbled, LockedOut, Refused, Unreachable
from cameras.facts import CredentialTrial, CredentialTrials, Gap, Identity, Scopes, SetupSignal
from cameras.http import DeviceHttp, HttpLogin, challenges
from cameras.lockout import lock_hint
from cameras.onvif_session import OnvifSession
from cameras.secret import Credential, Secret
from scanners.knowledge import Knowledge, VendorDefaults


class _Store(Protocol):
    """One place where a login can be tried, over a connection made for that try alone."""

    async def accepts(self, credential: Credential) -> bool: ...


@dataclass(frozen=True, slots=True)
class _WebStore:
    """The web server's accounts, by HTTP authentication on a path that demands it."""

    session: OnvifSession
    path: str

    async def accepts(self, credential: Credential) -> bool:
        async with self.session.http.anew() as http:
            url = http.base.copy_with(raw_path=self.path.encode())
            reply = await http.request("GET", url, login=HttpLogin(credential))
        if reply.status >= httpx.codes.BAD_REQUEST and (hint := lock_hint(reply.body)):
            raise LockedOut(hint)
        if reply.status == httpx.codes.UNAUTHORIZED:
            return False
        if httpx.codes.is_success(reply.status):
            return True
        raise Refused(f"login page: HTTP {reply.status}")


@dataclass(frozen=True, slots=True)
class _OnvifStore:
    """ONVIF's accounts, by the way of logging in that this camera asked for."""

    session: OnvifSession

    async def accepts(self, credential: Credential) -> bool:
        async with self.session.http.anew() as http:
            return await self.session.accepts(credential, http)


def vendor_of(
    identity: Identity | Gap, scopes: Scopes | Gap, signals: Sequence[SetupSignal], knowledge: Knowledge
) -> VendorDefaults | None:
    """The vendor by its own word, else by a sign that only its cameras give, else by what it announces to anybody."""
    table = knowledge.default_credentials
    if isinstance(identity, Identity) and identity.manufacturer:
        return table.for_manufacturer(identity.manufacturer)
    signalled = {signal.source.partition("-")[0] for signal in signals}
    announced = (
        [name for scope in scopes.scopes if (name := _announced_name(scope))] if isinstance(scopes, Scopes) else []
    )
    for vendor in table.vendors:
        makers = tuple(name.casefold() for name in vendor.manufacturers)
        if vendor.vendor in signalled or any(name.startswith(makers) for name in announced):
            return vendor
    return None


def _announced_name(scope: str) -> str | None:
    """`onvif://www.onvif.org/name/AXIS%20P3265-V` as "axis p3265-v"; `None` for scopes of other kinds."""
    kind, _, value = scope.removeprefix("onvif://www.onvif.org/").partition("/")
    return unquote(value).strip().casefold() if kind in ("name", "manufacturer", "hardware") and value else None


async def try_pairs(
    session: OnvifSession,
    stranger: DeviceHttp,
    camera_key: str,
    vendor: VendorDefaults | None,
    *,
    budget: AttemptBudget,
) -> CredentialTrials:
    """The whole test. `stranger` is a connection without a login. Raises nothing: a trial says why it was not made."""
    if vendor is None:
        return CredentialTrials(None, "not-run", "no default password is documented for this vendor", ())
    store = await _store(session, stranger, vendor)
    if store is None:
        return CredentialTrials(vendor.vendor, "not-run", "nothing on this camera asks for a login", ())
    made_up = Credential(f"cw-{secrets.token_hex(4)}", Secret(secrets.token_urlsafe(12)))
    outcome, detail = await _try(store, made_up, camera_key, budget)
    if outcome != "refused":
        control: Literal["accepted", "not-run"] = "accepted" if outcome == "accepted" else "not-run"
        return CredentialTrials(vendor.vendor, control, detail, ())
    trials: list[CredentialTrial] = []
    stopped = ""
    for pair in vendor.pairs:
        outcome, detail = (
            ("not-tried", stopped)
            if stopped
            else await _try(store, Credential(pair.account, pair.password), camera_key, budget)
        )
        if outcome == "not-tried":
            stopped = detail
        trials.append(CredentialTrial(pair.id, pair.account, outcome, detail))
    return CredentialTrials(vendor.vendor, "refused", "", tuple(trials))


async def _store(session: OnvifSession, stranger: DeviceHttp, vendor: VendorDefaults) -> _Store | None:
    """The web server where it demands a login by HTTP (there the documented account lives), else ONVIF, else none."""
    try:
        reply = await stranger.request("GET", stranger.base.copy_with(raw_path=vendor.login_path.encode()))
    except (Garbled, Unreachable):
        reply = None
    if reply is not None and reply.status == httpx.codes.UNAUTHORIZED and challenges(reply.headers):
        return _WebStore(session, vendor.login_path)
    return _OnvifStore(session) if session.login_operation is not None else None


async def _try(
    store: _Store, credential: Credential, camera_key: str, budget: AttemptBudget
) -> tuple[Literal["accepted", "refused", "not-tried"], str]:
    """One try and, after a success, its confirmation; a try that ends without a clear answer counts as spent."""
    try:
        if not await _charged(store, credential, camera_key, budget):
            return "refused", ""
        if await _charged(store, credential, camera_key, budget):
            return "accepted", "confirmed by a second login"
    except DeviceError as error:
        return "not-tried", str(error)
    return "not-tried", "it was accepted once and refused a second time"


async def _charged(store: _Store, credential: Credential, camera_key: str, budget: AttemptBudget) -> bool:
    async with budget.trial(camera_key, credential.username) as trial:
        try:
            accepted = await store.accepts(credential)
        except LockedOut:
            trial.locked()
            raise
        if accepted:
            trial.worked()
        return accepted
