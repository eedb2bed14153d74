"""A camera in memory that answers as a driver does: for the order of things, where bytes do not matter.

`faults` are what it does wrong: "ignored:NAME" says yes and does nothing, "reverts:NAME" does it and goes back at the
next but one connection, "refuses:NAME" says no, "hangs-up:NAME" does it and cuts the connection, "drops:NAME" cuts the
connection and does nothing, "half:NAME" does something else. NAME is that of the method, without `set_`. What is on
trial ends where `trial_ends` is called, and by itself while it shuts us out (`sees_us_come_from`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from cameras.driver import Driver
from cameras.errors import DeviceError, Refused, Unauthorized, Unreachable, Unsupported
from cameras.facts import (
    Account,
    Accounts,
    AnonymousViewer,
    ClockSource,
    DiscoveryMode,
    FilterTrial,
    Identity,
    IpFilter,
    NetworkService,
    NetworkServices,
    Switch,
    Switches,
    SyslogTarget,
    UnsignedApps,
)
from cameras.place import Place
from cameras.secret import Credential, Secret
from hardening.visit import Patience

TURNS = 3
HTTP = Place("10.0.0.1", 80, "http")
HTTPS = Place("10.0.0.1", 443, "https")


async def no_wait(_seconds: float) -> None:
    """Time passes by itself in these tests."""


QUICKLY = Patience(tries=3, door_tries=2, pause_s=0, sleep=no_wait)


async def a_password(_name: str) -> Secret:
    return Secret("Made-0f-sand")


@dataclass
class World:
    """What the camera is: everything that the settings look at. `filter_before` is what a trial goes back to."""

    clock: ClockSource = field(default_factory=lambda: ClockSource(from_dhcp=False, servers=()))
    discovery: DiscoveryMode = field(default_factory=lambda: DiscoveryMode(discoverable=True))
    services: dict[str, bool] = field(default_factory=lambda: {"HTTP": True, "HTTPS": False, "RTSP": True})
    switches: dict[str, bool | None] = field(
        default_factory=lambda: {"telnet": True, "ftp": False, "upnp": True, "bonjour": True, "snmp-v1-v2c": True}
    )
    syslog: SyslogTarget = field(
        default_factory=lambda: SyslogTarget(enabled=False, server="", port=514, protocol="udp")
    )
    unsigned: UnsignedApps = field(default_factory=lambda: UnsignedApps(allowed=True))
    viewer: AnonymousViewer = field(default_factory=lambda: AnonymousViewer(allowed=True))
    accounts: dict[str, str] = field(default_factory=lambda: {"root": "Administrator"})
    filter: IpFilter = field(default_factory=lambda: IpFilter("off", ()))
    filter_before: IpFilter | None = None

    def copy(self) -> "World":
        return replace(self, services=dict(self.services), switches=dict(self.switches), accounts=dict(self.accounts))


_PORTS = {"HTTP": 80, "HTTPS": 443, "RTSP": 554}


class PretendCamera:
    def __init__(self, *faults: str, world: World | None = None, unsupported: Sequence[str] = ()) -> None:
        self.world = world or World()
        self.faults = set(faults)
        self.unsupported = set(unsupported)
        self.sent: list[str] = []
        self.opened: list[str] = []
        self.asked = 0
        self.serial = "P0001"
        self.silent = False
        self.silent_for = 0
        self.wrong_password = False
        self.https_works = True
        self.seen_from: str | None = "10.0.9.1"  # as far as we know
        self.sees_us_come_from = "10.0.9.1"
        self.besides: tuple[str, ...] = ()
        self.on_sent: Callable[[str], None] = lambda _name: None
        self.meanwhile: asyncio.Task[None] | None = None  # ended before this camera answers the next connection
        self._reverting: list[tuple[int, str, Any]] = []

    @asynccontextmanager
    async def open(self, place: Place) -> AsyncIterator[Driver]:
        self.opened.append(place.scheme)
        for _ in range(TURNS):  # others get their turn, as they do while a real connection is made
            await asyncio.sleep(0)
        if self.meanwhile:
            await self.meanwhile
        if self.silent_for:
            self.silent_for -= 1
            raise Unreachable("it is starting")
        if self.world.filter.mode == "allow" and self.sees_us_come_from not in self.world.filter.addresses:
            self.trial_ends()  # for the next one who comes
            raise Unreachable("nothing answers")
        if self.silent or not self.world.services[place.scheme.upper()]:
            raise Unreachable("nothing answers")
        if place.scheme == "https" and not self.https_works:
            raise Unreachable("TLS failed")
        if self.wrong_password:
            raise Unauthorized("name or password is wrong")
        self._go_back_where_due()
        yield cast("Driver", _Open(self, place))

    def _go_back_where_due(self) -> None:
        for due, name, before in self._reverting:
            if len(self.opened) > due:
                setattr(self.world, name, before)
        self._reverting = [one for one in self._reverting if len(self.opened) <= one[0]]

    def trial_ends(self) -> None:
        if self.world.filter_before is not None:
            self.world.filter, self.world.filter_before = self.world.filter_before, None

    def change(self, name: str, attribute: str, value: object) -> None:
        """One change as this camera does it."""
        self.sent.append(name)
        for kind in ("refuses", "drops", "ignored"):
            if f"{kind}:{name}" in self.faults:
                self._fail(kind)
                return
        if f"reverts:{name}" in self.faults:
            self._reverting.append((len(self.opened) + 1, attribute, getattr(self.world, attribute)))
        setattr(self.world, attribute, value)
        self.on_sent(name)
        if f"hangs-up:{name}" in self.faults:
            raise Unreachable("the connection was cut")

    def _fail(self, kind: str) -> None:
        errors: dict[str, DeviceError] = {"refuses": Refused("not allowed here"), "drops": Unreachable("it was cut")}
        if kind in errors:
            raise errors[kind]


class _Open:
    family = "pretend"

    def __init__(self, camera: PretendCamera, place: Place) -> None:
        self._camera = camera
        self._place = place

    def _world(self, question: str) -> World:
        self._camera.asked += 1
        if self._camera.silent or not self._camera.world.services[self._place.scheme.upper()]:
            raise Unreachable("nothing answers")
        if question in self._camera.unsupported:
            raise Unsupported(f"it has no {question}")
        return self._camera.world

    async def identity(self) -> Identity:
        self._world("identity")
        return Identity("Pretend", "P1", "1.0", self._camera.serial, None, None, "pretend")

    async def clock_source(self) -> ClockSource:
        return self._world("clock").clock

    async def discovery_mode(self) -> DiscoveryMode:
        return self._world("discovery").discovery

    async def network_services(self) -> NetworkServices:
        services = self._world("services").services
        return NetworkServices(tuple(NetworkService(name, on, (_PORTS[name],)) for name, on in services.items()))

    async def switches(self) -> Switches:
        return Switches(tuple(Switch(name, on) for name, on in self._world("switches").switches.items()))

    async def syslog_target(self) -> SyslogTarget:
        return self._world("syslog").syslog

    async def anonymous_viewer(self) -> AnonymousViewer:
        return self._world("viewer").viewer

    async def unsigned_apps(self) -> UnsignedApps:
        return self._world("unsigned").unsigned

    async def accounts(self) -> Accounts:
        return Accounts(tuple(Account(name, role) for name, role in self._world("accounts").accounts.items()))

    async def set_clock_source(self, *, servers: Sequence[str], from_dhcp: bool) -> None:
        self._world("clock")
        half = "half:clock" in self._camera.faults
        said = ("192.0.2.1",) if half else tuple(servers)
        self._camera.change("clock", "clock", ClockSource(from_dhcp=from_dhcp and not half, servers=said))

    async def set_discovery_mode(self, *, discoverable: bool) -> None:
        self._world("discovery")
        self._camera.change("discovery", "discovery", DiscoveryMode(discoverable=discoverable))

    async def set_network_service(self, name: Literal["HTTP", "HTTPS", "RTSP"], *, enabled: bool) -> None:
        services = self._world("services").services
        self._camera.change(name.lower(), "services", {**services, name: enabled})

    async def set_switch(self, name: str, *, on: bool) -> None:
        switches = self._world("switches").switches
        self._camera.change(name, "switches", {**switches, name: on})

    async def set_syslog_target(self, target: SyslogTarget) -> None:
        self._world("syslog")
        self._camera.change("syslog", "syslog", target)

    async def set_anonymous_viewer(self, *, allowed: bool) -> None:
        self._world("viewer")
        self._camera.change("viewer", "viewer", AnonymousViewer(allowed=allowed))

    async def set_unsigned_apps(self, *, allowed: bool) -> None:
        self._world("unsigned")
        self._camera.change("unsigned", "unsigned", UnsignedApps(allowed=allowed))

    async def create_account(self, account: Credential, role: str) -> None:
        accounts = self._world("accounts").accounts
        self._camera.change("account", "accounts", {**accounts, account.username: role})

    async def ip_filter(self) -> IpFilter:
        return self._world("filter").filter

    async def filter_trial(self) -> FilterTrial:
        left_s = 30 if self._world("trial").filter_before is not None else 0
        return FilterTrial(left_s, self._camera.besides, self._camera.seen_from)

    async def try_ip_filter(self, wanted: IpFilter, *, back_after_s: int) -> None:
        assert back_after_s > 0
        self._world("filter")
        self._camera.trial_ends()
        before = self._camera.world.filter
        try:
            self._camera.change("filter", "filter", wanted)
        finally:
            if self._camera.world.filter is wanted and wanted.mode != "off":
                self._camera.world.filter_before = before

    async def keep_ip_filter(self) -> None:
        if self._world("trial").filter_before is None:
            raise Refused("nothing is on trial any more")
        self._camera.change("keep", "filter_before", None)

    async def remove_account(self, name: str) -> None:
        accounts = dict(self._world("accounts").accounts)
        del accounts[name]
        self._camera.change("account", "accounts", accounts)
