"""What a vendor's own API has no word for: asked over ONVIF where ONVIF has one, Unsupported where it has none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from cameras.driver import NO_FILTER_TRIAL, AccountStore, Driver, OnvifBeside, Role, SwitchName
from cameras.errors import Unsupported
from cameras.facts import (
    Accounts,
    AnonymousViewer,
    Apps,
    Certificates,
    ClockSource,
    DeviceLog,
    DiscoveryMode,
    FilterTrial,
    FirmwareState,
    Identity,
    IpFilter,
    Lockout,
    NetworkServices,
    Services,
    StreamProfiles,
    Switches,
    SyslogTarget,
    UnsignedApps,
)
from cameras.secret import Credential, Secret


class BesideOnvif:
    """Every question and every change; a family's driver overrides what its own API can do."""

    family: str

    def __init__(self, onvif: OnvifBeside) -> None:
        self._onvif = onvif

    def _no_word_for(self, what: str) -> Unsupported:
        return Unsupported(f"neither the API of {self.family} nor ONVIF has a word for {what} that we know")

    # --- by ONVIF ---

    async def identity(self) -> Identity:
        return await (await self._onvif.driver()).identity()

    async def accounts(self) -> Accounts:
        return await (await self._onvif.driver()).accounts()

    async def services(self) -> Services:
        return await (await self._onvif.driver()).services()

    async def network_services(self) -> NetworkServices:
        return await (await self._onvif.driver()).network_services()

    async def set_network_service(self, name: Literal["HTTP", "HTTPS", "RTSP"], *, enabled: bool) -> None:
        await (await self._onvif.driver()).set_network_service(name, enabled=enabled)

    async def clock_source(self) -> ClockSource:
        return await (await self._onvif.driver()).clock_source()

    async def set_clock_source(self, *, servers: Sequence[str], from_dhcp: bool) -> None:
        await (await self._onvif.driver()).set_clock_source(servers=servers, from_dhcp=from_dhcp)

    async def discovery_mode(self) -> DiscoveryMode:
        return await (await self._onvif.driver()).discovery_mode()

    async def set_discovery_mode(self, *, discoverable: bool) -> None:
        await (await self._onvif.driver()).set_discovery_mode(discoverable=discoverable)

    async def stream_profiles(self, services: Services) -> StreamProfiles:
        return await (await self._onvif.driver()).stream_profiles(services)

    async def snapshot(self, uri: str) -> bytes:
        return await (await self._onvif.driver()).snapshot(uri)

    async def certificates(self) -> Certificates:
        return await (await self._onvif.driver()).certificates()

    async def request_certificate(self, name: str) -> str:
        return await (await self._onvif.driver()).request_certificate(name)

    async def install_certificate(self, chain: str) -> None:
        await (await self._onvif.driver()).install_certificate(chain)

    async def ip_filter(self) -> IpFilter:
        return await (await self._onvif.driver()).ip_filter()

    async def log(self) -> DeviceLog:
        return await (await self._onvif.driver()).log()

    async def account_stores(self) -> Sequence[AccountStore]:
        return ("web",) if await self._onvif.accounts_driver() is None else ("onvif", "web")

    async def create_account(self, account: Credential, role: Role) -> None:
        await (await self._onvif.driver()).create_account(account, role)

    async def set_password(self, name: str, password: Secret) -> None:
        await (await self._onvif.driver()).set_password(name, password)

    async def remove_account(self, name: str) -> None:
        await (await self._onvif.driver()).remove_account(name)

    async def firmware_state(self) -> FirmwareState:
        return await (await self._onvif.driver()).firmware_state()

    async def upload_firmware(self, image: Path, *, rollback_after_s: int | None) -> None:
        await (await self._onvif.driver()).upload_firmware(image, rollback_after_s=rollback_after_s)

    async def backup(self) -> bytes:
        return await (await self._onvif.driver()).backup()

    async def restore(self, configuration: bytes) -> None:
        await (await self._onvif.driver()).restore(configuration)

    async def reboot(self) -> None:
        await (await self._onvif.driver()).reboot()

    async def apps(self) -> Apps:
        return await (await self._onvif.driver()).apps()

    async def upload_app(self, package: Path, app: str) -> None:
        await (await self._onvif.driver()).upload_app(package, app)

    async def start_app(self, app: str) -> None:
        await (await self._onvif.driver()).start_app(app)

    async def stop_app(self, app: str) -> None:
        await (await self._onvif.driver()).stop_app(app)

    async def remove_app(self, app: str) -> None:
        await (await self._onvif.driver()).remove_app(app)

    # --- what ONVIF has no word for either ---

    async def switches(self) -> Switches:
        raise self._no_word_for("switches of single services")

    async def set_switch(self, name: SwitchName, *, on: bool) -> None:
        raise self._no_word_for(f"switching {name} {'on' if on else 'off'}")

    async def syslog_target(self) -> SyslogTarget:
        raise self._no_word_for("a syslog target")

    async def set_syslog_target(self, target: SyslogTarget) -> None:  # noqa: ARG002 - the protocol's signature
        raise self._no_word_for("a syslog target")

    async def anonymous_viewer(self) -> AnonymousViewer:
        raise self._no_word_for("anonymous viewers")

    async def set_anonymous_viewer(self, *, allowed: bool) -> None:  # noqa: ARG002
        raise self._no_word_for("anonymous viewers")

    async def lockout(self) -> Lockout:
        raise self._no_word_for("what wrong passwords lead to")

    async def set_lockout(self, *, tries: int, lock_s: float) -> None:  # noqa: ARG002
        raise self._no_word_for("what wrong passwords lead to")

    async def unsigned_apps(self) -> UnsignedApps:
        raise self._no_word_for("signatures of applications")

    async def set_unsigned_apps(self, *, allowed: bool) -> None:  # noqa: ARG002
        raise self._no_word_for("signatures of applications")

    async def filter_trial(self) -> FilterTrial:
        raise Unsupported(NO_FILTER_TRIAL)

    async def try_ip_filter(self, wanted: IpFilter, *, back_after_s: int) -> None:  # noqa: ARG002
        raise Unsupported(NO_FILTER_TRIAL)

    async def keep_ip_filter(self) -> None:
        raise Unsupported(NO_FILTER_TRIAL)

    async def commit_firmware(self) -> None:
        raise self._no_word_for("keeping a firmware on trial")

    async def roll_back_firmware(self) -> None:
        raise self._no_word_for("going back to an earlier firmware")


async def has_account(driver: Driver, name: str) -> bool:
    return any(account.name == name for account in (await driver.accounts()).users)
