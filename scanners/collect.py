"""One visit to one camera: every question once, in a fixed order, and a dossier of what came of each.

Reads only. The order matters: what can be learned without a login comes first, then our own credential, then the facts
behind it, and last the default passwords, which may cost tries.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from cameras.budget import AttemptBudget
from cameras.drivers.onvif import OnvifDriver
from cameras.errors import DeviceError, LockedOut, Unauthorized, Unreachable
from cameras.facts import (
    Accounts,
    AnonymousOnvif,
    Banners,
    CredentialTrials,
    Gap,
    Identity,
    NetworkInterfaces,
    OpenPorts,
    Scopes,
    SetupSignal,
    SetupState,
    SnmpAnswer,
    StreamProfiles,
)
from cameras.http import DeviceHttp
from cameras.onvif_session import OnvifSession
from cameras.secret import Credential
from scanners import default_credentials, vendor_questions
from scanners.discovery import ws_discovery
from scanners.dossier import Dossier
from scanners.gaps import answer_or_gap, gap
from scanners.identify import Met, NotEvaluated, camera_key, in_its_own_words
from scanners.knowledge import Knowledge, VendorDefaults
from scanners.probes import anonymous, banners, setup_state, snmp
from scanners.targets import Target

T = TypeVar("T")

# A camera that fell silent is not worth eight seconds for each of the remaining questions.
MOST_SILENCES = 2
WS_DISCOVERY_WAIT_S = 2.0
BANNER_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class VisitOptions:
    """How a visit is made. `credentials` are those of this camera, tried in order within the budget."""

    credentials: Sequence[Credential]
    default_credentials: bool
    timeout_s: float
    knowledge: Knowledge
    budget: AttemptBudget


class _Questions:
    """Asks on, until the camera falls silent or speaks of a lock-out; then every further question is a gap unasked."""

    def __init__(self) -> None:
        self._silences = 0
        self._closed: Gap | None = None

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T | Gap:
        if self._closed is not None:
            return self._closed
        try:
            answer = await question()
        except LockedOut as error:
            self._closed = gap(error)
            return self._closed
        except Unreachable as error:
            self._silences += 1
            if self._silences >= MOST_SILENCES:
                self._closed = Gap("unreachable", f"not asked any more: {error}")
            return gap(error)
        except DeviceError as error:
            return gap(error)
        self._silences = 0
        return answer


async def collect(met: Met, target: Target, ports: OpenPorts | Gap, options: VisitOptions) -> Dossier | NotEvaluated:
    """The dossier of one visit. NotEvaluated only where the device never proved to be a camera."""
    async with _meanwhile(ask_snmp(target, options)) as snmp_answer:
        found = await _visit(met, target, ports, options, snmp_answer)
        return in_its_own_words(found, await snmp_answer) if isinstance(found, NotEvaluated) else found


async def ask_snmp(target: Target, options: VisitOptions) -> SnmpAnswer | Gap:
    """A community is a known password, and is asked for only where those may be tried."""
    if target.shared:
        return Gap("not-asked", "several targets share this address")
    if not options.default_credentials:
        return Gap("not-asked", "the default-credential test is switched off")
    return await answer_or_gap(snmp.ask_public(target.address, snmp.PORT))


@asynccontextmanager
async def _meanwhile(question: Coroutine[object, object, T]) -> AsyncIterator[asyncio.Task[T]]:
    """A question that is answered while others are put; nobody waits for it who leaves early."""
    task = asyncio.create_task(question)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _visit(
    met: Met, target: Target, ports: OpenPorts | Gap, options: VisitOptions, snmp_answer: Awaitable[SnmpAnswer | Gap]
) -> Dossier | NotEvaluated:
    session, questions = met.session, _Questions()
    clock = met.clock
    open_onvif: AnonymousOnvif | Gap = await questions.ask(session.try_anonymously) if met.proven else _refused_all()
    login = await _log_in(session, options.credentials)
    if not met.proven:
        if isinstance(login, Gap):
            why = f"it wants a login before it says what it is: {login.detail}"
            return NotEvaluated(target.address, login.gap, why, target.port)
        clock = await answer_or_gap(session.clock())
        if not session.spoke_soap:
            why = "a web server with a login that does not speak ONVIF"
            return NotEvaluated(target.address, "not-a-camera", why, target.port)

    ports = _with_our_door(ports, session)
    driver = OnvifDriver(session)
    identity = await questions.ask(driver.identity)
    accounts = await questions.ask(driver.accounts)
    services = await questions.ask(driver.services)
    scopes = await questions.ask(driver.scopes)
    network_services = await questions.ask(driver.network_services)
    interfaces = await questions.ask(driver.network_interfaces)
    hostname = await questions.ask(driver.hostname)
    clock_source = await questions.ask(driver.clock_source)
    discovery_mode = await questions.ask(driver.discovery_mode)
    profiles: StreamProfiles | Gap = (
        services if isinstance(services, Gap) else await questions.ask(lambda: driver.stream_profiles(services))
    )

    # ONVIF may ask nobody for a login where the vendor's own door does.
    given = options.credentials[0] if session.login_operation is None and options.credentials else login
    vendors_own = await vendor_questions.facts(session, given, camera_key(target), options.budget, questions.ask)

    announced = scopes if isinstance(scopes, Scopes) else await _announced_scopes(target)
    async with session.http.anew() as stranger:
        signals = await setup_state.vendor_signals(stranger)
        vendor = default_credentials.vendor_of(identity, announced, signals, options.knowledge)
        pages = await answer_or_gap(anonymous.login_pages(stranger, ports, network_services))
        tls_postures = await answer_or_gap(anonymous.tls_postures(stranger, ports, network_services))
        pictures = await answer_or_gap(anonymous.pictures(stranger, profiles))
        streams = await answer_or_gap(anonymous.streams(stranger, profiles))
        trials = await _trials(session, stranger, target, vendor, options)
    return Dossier(
        address=target.address,
        port=session.http.port,
        scheme=session.http.scheme,
        collected_at=datetime.now(UTC).isoformat(timespec="seconds"),
        login=session.account or "",
        quirks=tuple(sorted(session.quirks)),
        identity=_known_better(identity, interfaces, vendors_own.family),
        accounts=accounts,
        services=services,
        scopes=announced if isinstance(announced, Scopes) else scopes,
        network_services=network_services,
        network_interfaces=interfaces,
        hostname=hostname,
        clock=clock,
        clock_source=clock_source,
        discovery_mode=discovery_mode,
        stream_profiles=profiles,
        switches=vendors_own.switches,
        lockout=vendors_own.lockout,
        anonymous_viewer=vendors_own.anonymous_viewer,
        syslog_target=vendors_own.syslog_target,
        firmware_state=vendors_own.firmware_state,
        apps=vendors_own.apps,
        unsigned_apps=vendors_own.unsigned_apps,
        snmp=await snmp_answer,
        open_ports=ports,
        banners=await _banners(target.address, ports),
        login_pages=pages,
        tls_postures=tls_postures,
        anonymous_onvif=open_onvif,
        anonymous_pictures=pictures,
        anonymous_streams=streams,
        setup_state=_setup_state(session, announced, signals, accounts),
        credential_trials=trials,
    )


def _with_our_door(ports: OpenPorts | Gap, session: OnvifSession) -> OpenPorts | Gap:
    """The port that we spoke through is open, even where it is not among those that were tried."""
    port = session.http.port
    if isinstance(ports, Gap) or port in ports.open:
        return ports
    return replace(ports, open=tuple(sorted((*ports.open, port))))


def _refused_all() -> AnonymousOnvif:
    # Even the clock wanted a login, so everything does.
    return AnonymousOnvif(answered=(), refused=("GetSystemDateAndTime",))


async def _log_in(session: OnvifSession, credentials: Sequence[Credential]) -> Credential | Gap:
    """The credential that worked, or why none did. A credential is tried once; a hint at a lock-out ends it."""
    if session.login_operation is None:
        return Gap("unsupported", "nothing on this camera asks for a login")
    outcome = Gap("unauthorized", "no credential is given for this camera")
    for credential in credentials:
        try:
            await session.log_in(credential)
        except LockedOut as error:
            return gap(error)
        except Unauthorized as error:
            outcome = Gap("unauthorized", f"account {credential.username!r} is refused: {error}")
        except DeviceError as error:
            outcome = gap(error)
        else:
            return credential
    return outcome


async def _announced_scopes(target: Target) -> Scopes | Gap:
    """The scopes that the camera announces by WS-Discovery, for one that keeps GetScopes behind its login."""
    if target.shared:
        return Gap("not-asked", "several targets share this address")
    sightings = await ws_discovery.probe_unicast([target.address], wait_s=WS_DISCOVERY_WAIT_S, concurrency=1)
    if not sightings:
        return Gap("unreachable", "no answer to a WS-Discovery probe")
    return Scopes(tuple(scope for sighting in sightings for scope in sighting.scopes))


def _known_better(identity: Identity | Gap, interfaces: NetworkInterfaces | Gap, family: str) -> Identity | Gap:
    """With its MAC, and the family that it showed itself to be of."""
    if isinstance(identity, Gap):
        return identity
    found = () if isinstance(interfaces, Gap) else interfaces.interfaces
    return replace(identity, mac=next((one.mac for one in found if one.mac), identity.mac), driver=family)


async def _banners(address: str, ports: OpenPorts | Gap) -> Banners | Gap:
    if isinstance(ports, Gap):
        return ports
    return await answer_or_gap(banners.read(address, ports.open, BANNER_TIMEOUT_S))


def _setup_state(
    session: OnvifSession, scopes: Scopes | Gap, signals: Sequence[SetupSignal], accounts: Accounts | Gap
) -> SetupState:
    found = list(signals)
    if isinstance(scopes, Scopes):
        found += setup_state.scope_signals(scopes)
    if session.account is not None and isinstance(accounts, Accounts) and accounts.users:
        found.append(SetupSignal("account-works", factory_default=False))
    return SetupState(tuple(found))


async def _trials(
    session: OnvifSession,
    stranger: DeviceHttp,
    target: Target,
    vendor: VendorDefaults | None,
    options: VisitOptions,
) -> CredentialTrials | Gap:
    if not options.default_credentials:
        return Gap("not-asked", "the default-credential test is switched off")
    return await default_credentials.try_pairs(session, stranger, camera_key(target), vendor, budget=options.budget)
