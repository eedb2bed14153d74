"""Is there a camera behind this address, and at which door does it talk?"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from cameras import ways
from cameras.budget import AttemptBudget
from cameras.errors import DeviceError, Unauthorized, Unreachable
from cameras.facts import Clock, Gap, OpenPorts, SnmpAnswer
from cameras.http import DeviceHttp
from cameras.onvif_session import DEVICE_PATH, OnvifSession
from scanners.gaps import gap
from scanners.targets import Target

# The reason for an empty place in a network: to be listed, but no gap in what we know of the cameras.
NO_ANSWER = "no-answer"
UNREACHABLE = "unreachable"

# Where cameras keep their web server, most usual first; plain HTTP before TLS, which many old cameras offer but hardly
# manage.
HTTP_PORTS = (80, 8080, 8000, 8081, 81, 2020, 8899, 5000, 9000)
HTTPS_PORTS = (443, 8443)


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """An address that was asked for and could not be judged. `reason` is a word for scripts, `detail` a sentence.

    `port` is the one that was asked for, `None` where it was the whole address.
    """

    address: str
    reason: str
    detail: str
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Met:
    """A device that speaks ONVIF, or (`proven` is False) may do so once logged in to."""

    session: OnvifSession
    clock: Clock | Gap
    proven: bool


@dataclass(frozen=True, slots=True)
class Door:
    scheme: str
    port: int
    path: str


def doors(target: Target, ports: OpenPorts | Gap) -> Sequence[Door]:
    """Where to knock: the target's own words, else the open web ports."""
    path = target.path if target.path and target.path != "/" else DEVICE_PATH
    if target.port is not None:
        scheme = target.scheme or ("https" if target.port in HTTPS_PORTS else "http")
        return (Door(scheme, target.port, path),)
    is_open = ports.open if isinstance(ports, OpenPorts) else ()
    plain = [] if target.scheme == "https" else [Door("http", port, path) for port in HTTP_PORTS if port in is_open]
    tls = [] if target.scheme == "http" else [Door("https", port, path) for port in HTTPS_PORTS if port in is_open]
    return (*plain, *tls)


async def identify(
    stack: AsyncExitStack, target: Target, ports: OpenPorts | Gap, budget: AttemptBudget, timeout_s: float
) -> Met | NotEvaluated:
    """Knock at each door with ONVIF's one question that needs no login. Connections live as long as `stack`."""
    said: list[tuple[Door, DeviceError]] = []
    broken_xml = False
    maybe: Met | None = None
    for door in doors(target, ports):
        connection = DeviceHttp(target.address, door.port, door.scheme, timeout_s=timeout_s)
        session = OnvifSession(connection, camera_key(target), budget, door.path)
        await stack.enter_async_context(connection)
        try:
            return Met(session, await session.clock(), proven=True)
        except DeviceError as error:
            said.append((door, error))
            broken_xml |= session.spoke_broken_xml
            if session.spoke_soap:
                return Met(session, gap(error), proven=True)
            if isinstance(error, Unauthorized) and session.wants_http_login:
                maybe = maybe or Met(session, gap(error), proven=False)
    return maybe or replace(_not_a_camera(target, ports, said, broken_xml=broken_xml), port=target.port)


def camera_key(target: Target) -> str:
    """What login attempts are counted against: the address, with the port where several cameras share it."""
    return f"{target.address}:{target.port}" if target.shared else target.address


def is_silent(result: NotEvaluated) -> bool:
    """Whether nobody is known to be there, so that no further question is worth its wait."""
    return result.reason in (NO_ANSWER, UNREACHABLE)


def in_its_own_words(result: NotEvaluated, snmp: SnmpAnswer | Gap) -> NotEvaluated:
    """With what the device calls itself by SNMP, where it says so."""
    if is_silent(result) or isinstance(snmp, Gap) or snmp.description is None:
        return result
    return replace(result, detail=f"{result.detail}; by SNMP it calls itself '{snmp.description}'")


def _not_a_camera(
    target: Target, ports: OpenPorts | Gap, said: list[tuple[Door, DeviceError]], *, broken_xml: bool
) -> NotEvaluated:
    words = "; ".join(f"{door.scheme} port {door.port}: {error}" for door, error in said)
    if not said:
        is_open = ports.open if isinstance(ports, OpenPorts) else ()
        if not is_open:
            if broken := ways.trouble(target.address):
                return NotEvaluated(target.address, UNREACHABLE, broken)
            reason = NO_ANSWER if target.searched else UNREACHABLE
            return NotEvaluated(target.address, reason, "no port that we tried answers")
        listed = ", ".join(str(port) for port in is_open)
        return NotEvaluated(target.address, "not-a-camera", f"no web server; open ports: {listed}")
    if all(isinstance(error, Unreachable) for _, error in said):
        return NotEvaluated(target.address, UNREACHABLE, words)
    if broken_xml:
        return NotEvaluated(target.address, "garbled", words)
    return NotEvaluated(target.address, "not-a-camera", f"a web server that does not speak ONVIF: {words}")
