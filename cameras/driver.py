"""What every family of cameras can be asked and told, in the words of the trade.

One method is one question or one change. All raise `cameras.errors`; what a family or this camera cannot do raises
Unsupported. A change returns when the camera has said yes: whether it did what it said is found out by asking again,
over a fresh connection (`cameras.opening.open_camera`), and never here.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

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

SwitchName = Literal["telnet", "ftp", "ssh", "upnp", "bonjour", "snmp-v1-v2c"]
Role = Literal["Administrator", "Operator", "User"]
AccountStore = Literal["onvif", "web"]
NO_FILTER_TRIAL = (
    "a filter by address counts at once on this camera, and nothing would take back one that shuts us out: it is set "
    "by hand"
)
"""Why a family that has no trial is not told whom to let in, whatever else its API could do."""


class Driver(Protocol):
    """A camera that was logged in to. `family` names the driver: "axis", "hikvision", "dahua", "hanwha", "onvif"."""

    family: str

    # --- questions ---

    async def identity(self) -> Identity: ...
    async def accounts(self) -> Accounts: ...
    async def services(self) -> Services: ...
    async def network_services(self) -> NetworkServices: ...
    async def clock_source(self) -> ClockSource: ...
    async def discovery_mode(self) -> DiscoveryMode: ...
    async def stream_profiles(self, services: Services) -> StreamProfiles: ...
    async def snapshot(self, uri: str) -> bytes: ...
    async def switches(self) -> Switches: ...
    async def syslog_target(self) -> SyslogTarget: ...
    async def anonymous_viewer(self) -> AnonymousViewer: ...
    async def firmware_state(self) -> FirmwareState: ...
    async def apps(self) -> Apps: ...
    async def unsigned_apps(self) -> UnsignedApps: ...
    async def lockout(self) -> Lockout: ...
    async def ip_filter(self) -> IpFilter: ...
    async def filter_trial(self) -> FilterTrial:
        """Unsupported where a filter by address counts at once, so that nothing would bring back whom it shuts out."""
        ...

    async def certificates(self) -> Certificates: ...
    async def log(self) -> DeviceLog: ...

    async def account_stores(self) -> Sequence[AccountStore]:
        """Where this camera keeps accounts of its own: a password must be proved at each of them."""
        ...

    async def backup(self) -> bytes:
        """The configuration, as the camera exports it."""
        ...

    # --- changes ---

    async def set_clock_source(self, *, servers: Sequence[str], from_dhcp: bool) -> None: ...
    async def set_discovery_mode(self, *, discoverable: bool) -> None: ...
    async def set_network_service(self, name: Literal["HTTP", "HTTPS", "RTSP"], *, enabled: bool) -> None: ...
    async def set_switch(self, name: SwitchName, *, on: bool) -> None: ...
    async def set_syslog_target(self, target: SyslogTarget) -> None: ...
    async def set_anonymous_viewer(self, *, allowed: bool) -> None: ...
    async def set_lockout(self, *, tries: int, lock_s: float) -> None:
        """Switch it on, with these numbers or the nearest stricter ones that it takes."""
        ...

    async def try_ip_filter(self, wanted: IpFilter, *, back_after_s: int) -> None:
        """On trial: the camera takes it back by itself unless `keep_ip_filter` comes within so many seconds.

        "off" shuts nobody out and counts at once. What else the camera filters by stays; Refused, with nothing sent,
        where it cannot. What is on trial already is taken back first.
        """
        ...

    async def keep_ip_filter(self) -> None:
        """What is on trial stays: to be called once it was seen over a fresh connection. Refused where it is over."""
        ...

    async def create_account(self, account: Credential, role: Role) -> None: ...
    async def set_password(self, name: str, password: Secret) -> None:
        """On every account store that this driver writes to.

        Of our own account it may spend one try, of the password that we came with: a refusal shows that two doors lead
        to one store.
        """
        ...

    async def remove_account(self, name: str) -> None: ...

    async def upload_firmware(self, image: Path, *, rollback_after_s: int | None) -> None:
        """Send an image; the camera flashes and restarts by itself. Needs an administrator.

        `rollback_after_s` asks the camera to go back by itself unless `commit_firmware` comes in time; Unsupported,
        with nothing sent, where it cannot. Unreachable after the first byte was sent means "unknown": ask for its
        state, never send again.
        """
        ...

    async def request_certificate(self, name: str) -> str:
        """Let the camera make a new key, which never leaves it, and give a signing request (PEM) for that name."""
        ...

    async def install_certificate(self, chain: str) -> None:
        """Serve HTTPS with this certificate (PEM, the camera's own first) of a key that was requested before."""
        ...

    async def commit_firmware(self) -> None: ...
    async def roll_back_firmware(self) -> None: ...
    async def upload_app(self, package: Path, app: str) -> None:
        """Install the package of an app; it is not started. Some cameras go by its id, others by the package itself."""
        ...

    async def start_app(self, app: str) -> None: ...
    async def stop_app(self, app: str) -> None: ...
    async def remove_app(self, app: str) -> None: ...
    async def set_unsigned_apps(self, *, allowed: bool) -> None:
        """For what is installed from now on: what is there stays."""
        ...

    async def restore(self, configuration: bytes) -> None: ...
    async def reboot(self) -> None: ...


class OnvifBeside(Protocol):
    """ONVIF on a camera that is spoken to in its vendor's words.

    It keeps accounts of its own, which on some cameras are the web server's after all.
    """

    async def driver(self) -> Driver:
        """Logged in when first asked. Unauthorized where our account is not there."""
        ...

    async def accounts_driver(self) -> Driver | None:
        """`None` where ONVIF clearly does not know our account, so that nothing is to be kept in step there."""
        ...

    async def still_accepts_us(self) -> bool:
        """Whether our login, as it was when we came, is taken over a fresh connection. A refusal spends a try."""
        ...
