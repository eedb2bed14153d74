"""The camera's clock follows a time server."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator

from cameras.driver import Driver
from cameras.facts import ClockSource
from hardening.model import Compared, Parameters, PasswordFor, Setting, drift, in_order, unknown
from hardening.settings._hosts import Host

MOST_SERVERS = 4


class Ntp(Parameters):
    """`keep`: a camera that has a time server keeps it; the others get what stands here."""

    servers: Annotated[tuple[Host, ...], Field(max_length=MOST_SERVERS, strict=False)] = ()
    from_dhcp: bool = False
    keep: bool = False

    @model_validator(mode="after")
    def _some_source(self) -> Self:
        if not self.servers and not self.from_dhcp:
            raise ValueError("write `servers: [ADDRESS]`, or `from_dhcp: true`")
        return self


@dataclass(frozen=True, slots=True)
class TimeSource:
    from_dhcp: bool | None
    servers: tuple[str, ...]
    keep: bool = False


async def _observe(driver: Driver) -> ClockSource:
    return await driver.clock_source()


def _wanted(parameters: Ntp) -> TimeSource:
    return TimeSource(parameters.from_dhcp, parameters.servers, parameters.keep)


def _state(fact: ClockSource, _wanted: TimeSource) -> TimeSource:
    return TimeSource(fact.from_dhcp, fact.servers)


def _judge(seen: TimeSource, wanted: TimeSource) -> Compared:
    """DHCP's servers may stand in the list too, so that the list says nothing where DHCP is asked for."""
    if wanted.keep and (seen.servers or seen.from_dhcp):
        return in_order(_sentence(seen))
    if seen.from_dhcp is None:
        return unknown("the camera does not say whether its time server comes by DHCP")
    same = seen.from_dhcp == wanted.from_dhcp
    if not wanted.from_dhcp:
        same &= _lower(seen.servers) == _lower(wanted.servers)
    return (in_order if same else drift)(_sentence(seen))


def _lower(names: Iterable[str]) -> set[str]:
    return {name.lower() for name in names}


def _sentence(state: TimeSource) -> str:
    if state.from_dhcp:
        return "the time server comes by DHCP"
    return f"the time comes from {', '.join(state.servers)}" if state.servers else "no time server is set"


async def _tell(driver: Driver, wanted: TimeSource, _password_for: PasswordFor) -> None:
    await driver.set_clock_source(servers=wanted.servers, from_dhcp=bool(wanted.from_dhcp))


def _words(state: TimeSource) -> tuple[str, ...]:
    listed = ", ".join(state.servers) or "none"
    return ("time server: by DHCP" if state.from_dhcp else f"time server: {listed}",)


def _back(seen: TimeSource) -> TimeSource | None:
    return None if seen.from_dhcp is None else seen


SETTING = Setting(
    name="ntp",
    title="The clock follows a time server",
    parameters=Ntp,
    observe=_observe,
    wanted=_wanted,
    state=_state,
    judge=_judge,
    tell=_tell,
    words=_words,
    shape=TimeSource,
    back=_back,
)
