"""The camera's log goes to a server, where an intruder cannot wipe it."""

from typing import Annotated, Literal

from pydantic import Field

from cameras.driver import Driver
from cameras.facts import SyslogTarget
from hardening.model import Compared, Parameters, PasswordFor, Setting, drift, in_order, unknown
from hardening.settings._hosts import Host

_USUAL_PORT = {"udp": 514, "tcp": 514, "tls": 6514}


class Syslog(Parameters):
    """The port is the usual one of the protocol unless it is given."""

    server: Host
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    protocol: Literal["udp", "tcp", "tls"] = "udp"


async def _observe(driver: Driver) -> SyslogTarget:
    return await driver.syslog_target()


def _wanted(parameters: Syslog) -> SyslogTarget:
    port = parameters.port or _USUAL_PORT[parameters.protocol]
    return SyslogTarget(True, parameters.server, port, parameters.protocol)


def _judge(seen: SyslogTarget, wanted: SyslogTarget) -> Compared:
    if seen.enabled is None:
        return unknown("the camera does not say whether it sends its log anywhere")
    if not seen.enabled or not wanted.enabled:
        return (in_order if seen.enabled == wanted.enabled else drift)(_sentence(seen))
    pairs = (
        ((seen.server or "").lower() or None, wanted.server),
        (seen.port, wanted.port),
        (seen.protocol, wanted.protocol),
    )
    if any(here is not None and here != goal for here, goal in pairs):
        return drift(_sentence(seen))
    if any(here is None for here, _ in pairs):
        return unknown(f"{_sentence(seen)}, and it does not say all of server, port and protocol")
    return in_order(_sentence(seen))


def _sentence(state: SyslogTarget) -> str:
    return f"its log goes to {_target(state)}" if state.enabled else "its log stays on the camera"


def _target(state: SyslogTarget) -> str:
    port = "" if state.port is None else f" port {state.port}"
    return f"{state.server or 'an unnamed server'}{port} by {state.protocol or 'an unnamed protocol'}"


async def _tell(driver: Driver, wanted: SyslogTarget, _password_for: PasswordFor) -> None:
    await driver.set_syslog_target(wanted)


def _back(seen: SyslogTarget) -> SyslogTarget | None:
    """A camera that sends its log somewhere must have said where."""
    known = seen.enabled is False or (seen.enabled and seen.server and seen.port and seen.protocol)
    return seen if known else None


SETTING = Setting(
    name="syslog",
    title="The log goes to a server",
    parameters=Syslog,
    observe=_observe,
    wanted=_wanted,
    state=lambda fact, _wanted: fact,
    judge=_judge,
    tell=_tell,
    words=lambda state: (f"syslog: {_target(state) if state.enabled else 'off'}",),
    shape=SyslogTarget,
    back=_back,
)
