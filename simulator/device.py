"""What one camera is, apart from how it is spoken to: its present plan, its restarts, its accounts, its firmware.

Every API of the camera changes it here, so that they agree and that a lying camera lies through all of them. `plan` is
always what is true now.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from random import Random

from simulator import onvif
from simulator.auth import Guard
from simulator.firmware import Image
from simulator.keystore import Keystore
from simulator.plan import Account, App, CameraPlan, Role, Store
from simulator.tls import Authority, delivered
from simulator.vendors import VENDORS

TRUNCATED_AT = 12
LATE_REQUESTS = 3
LATE_S = 2.0
SLOW_FACTOR = 10
SETTINGS = (
    "http_port",
    "https_port",
    "rtsp_port",
    "rtsp_on",
    "clock_source",
    "clock_offset_s",
    "timezone",
    "ntp_from_dhcp",
    "ntp_servers",
    "discoverable",
    "redirects_to_https",
    "basic_on_http",
    "anonymous",
    "extra_ports",
    "parameters",
    "syslog",
    "syslog_on",
    "lock_after",
)
"""Fields of a plan that a setting changes; accounts, firmware and apps are no settings."""


class HungUp(Exception):
    """The camera ends the connection in place of an answer."""


class Device:
    """The state behind all doors of one camera.

    `flashed` lists every image that was written, in order: the same one twice is seen here. `password_changes` counts
    passwords that came into force, `password_requests` those that the camera said yes to. `on_change` is called after
    every change that may open or close a port. `upgrade_state` is what became of the last image where the camera tells,
    `log_searches` how far each search of its log has come. `sent_apps` were sent and wait for the word that installs
    them, by the session that may say it. `fallback` undoes rules of a firewall that nobody confirms.
    """

    def __init__(self, plan: CameraPlan, authority: Authority) -> None:
        compact = plan.mac.replace(":", "").upper()
        self.plan = plan
        self.values: Mapping[str, str] = onvif.values_of(plan)
        self.guard = Guard(plan, VENDORS[plan.vendor].realm.format(mac=compact, tail=compact[-6:]))
        self.awake = True
        self.bricked = False
        self.boots = 1
        self.flashed: list[str] = []
        self.password_changes = 0
        self.password_requests = 0
        self.requests = 0
        self.sunapi_calls = 0
        self.sent_apps: dict[str, App] = {}
        self.fallback: asyncio.TimerHandle | None = None
        self.upload_token = ""
        self.upload_opens_at = 0.0
        self.upgrade_state = "Idle"
        self.log_searches: dict[int, int] = {}
        self.on_change: Callable[[], None] = lambda: None
        self._authority = authority
        self._first = plan
        self._before = plan
        self._booted_at = time.monotonic() - 7800
        self._timers: list[asyncio.TimerHandle] = []
        self._late: list[tuple[int, Callable[[], None]]] = []
        self._rollback: asyncio.TimerHandle | None = None
        self._auto: tuple[str, int | None] = ("boot", None)
        self.staged: Image | None = None
        self._staged_at = 0.0
        self._staging_s = 0.0

    @cached_property
    def keystore(self) -> Keystore:
        """Made when it is first asked for: certificates for a thousand cameras at once would take seconds."""
        return Keystore(delivered(self._authority, self.plan))

    @property
    def boot_id(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.plan.serial}/{self.boots}"))

    @property
    def uptime_s(self) -> int:
        return int(time.monotonic() - self._booted_at)

    def become(self, plan: CameraPlan) -> None:
        """From now on this plan is the truth. Wrong tries and the lock stay counted."""
        self.plan = plan
        self.values = onvif.values_of(plan)
        self.guard.learn(plan)
        self.on_change()

    def change(self, **fields: object) -> None:
        """What a setting does when the camera has said yes to it."""
        if "setting-ignored" not in self.plan.quirks:
            self.become(replace(self.plan, **fields))  # type: ignore[arg-type]

    def remember(self, parameters: tuple[tuple[str, str], ...]) -> None:
        """What it keeps for itself and nobody set."""
        self.become(replace(self.plan, parameters=parameters))

    def count_request(self) -> None:
        self.requests += 1
        if self._late:
            self._late = [(left - 1, apply) for left, apply in self._late]
            self._come_into_force(lambda left: left < 0)

    def stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    # --- restarts ---

    def restart(self, *, factor: float = 1) -> None:
        """Nothing answers for a while, then the camera is back with another boot id."""
        if not self.awake:
            return
        self.awake = False
        self._stop_timer()
        self.on_change()
        if not self.bricked:
            self._after(self.plan.reboot_s * factor, self._wake)

    def cut_power(self) -> None:
        """A restart without asking: an image that nobody committed is gone after it."""
        if not self.plan.committed and self.plan.standby_firmware is not None:
            self.roll_back()
        else:
            self.restart()

    def _wake(self) -> None:
        self.boots += 1
        self.awake = True
        self._booted_at = time.monotonic()
        plan = self.plan
        if "setting-reverts" in plan.quirks:
            plan = replace(plan, **{name: getattr(self._first, name) for name in SETTINGS})
        commit, minutes = self._auto
        if not plan.committed and commit in ("boot", "started"):
            plan = replace(plan, committed=True)
        self.become(plan)
        if not plan.committed and minutes is not None:
            self._rollback = self._after(minutes * plan.minute_s, self.roll_back)

    def later(self, seconds: float, do: Callable[[], None]) -> asyncio.TimerHandle:
        """After so many of the camera's own seconds; not any more once it is stopped."""
        return self._after(seconds * self.plan.minute_s / 60, do)

    def _after(self, seconds: float, do: Callable[[], None]) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()
        self._timers = [t for t in self._timers if not t.cancelled() and t.when() > loop.time()]
        timer = loop.call_later(seconds, do)
        self._timers.append(timer)
        return timer

    # --- accounts ---

    def create_accounts(self, store: Store, accounts: Sequence[Account]) -> None:
        plan = self.plan
        made = [replace(account, password=self._as_stored(account.password)) for account in accounts]
        if not plan.setup_done:  # the first account ends the factory default state, and with it the open doors
            auth = VENDORS[plan.vendor].auths[0]
            plan = replace(plan, setup_done=True, auth=auth, anonymous=frozenset())
        self.become(_with_accounts(plan, store, (*plan.accounts_of(store), *made)))

    def remove_accounts(self, store: Store, names: Sequence[str]) -> None:
        kept = tuple(account for account in self.plan.accounts_of(store) if account.name not in names)
        self.become(_with_accounts(self.plan, store, kept))

    def modify_account(self, store: Store, name: str, *, password: str | None = None, role: Role | None = None) -> None:
        """Raises HungUp where the camera restarts in the middle of it."""
        if role is not None:
            self._replace_account(store, name, role=role)
        if password is None:
            return
        self.password_requests += 1
        quirks = self.plan.quirks
        if "password-ignored" in quirks:
            return
        apply = self._password_change(store, name, self._as_stored(password))
        if "password-late" in quirks:
            self._late.append((LATE_REQUESTS, apply))
            self._after(LATE_S, lambda: self._come_into_force(lambda _left: True))
            return
        if "password-reboot" in quirks:
            if self.keeps_half_done_changes:
                apply()
            self.restart()
            raise HungUp
        apply()

    @property
    def keeps_half_done_changes(self) -> bool:
        """Whether a password survives the restart in the middle of its change: by the serial number, so by the seed."""
        return Random(self.plan.serial).random() < 0.5  # noqa: S311, PLR2004 - reproducible on purpose; a coin

    def _as_stored(self, password: str) -> str:
        return password[:TRUNCATED_AT] if "password-truncated" in self.plan.quirks else password

    def _password_change(self, store: Store, name: str, password: str) -> Callable[[], None]:
        def apply() -> None:
            self.password_changes += 1
            self._replace_account(store, name, password=password)

        return apply

    def _come_into_force(self, due: Callable[[int], bool]) -> None:
        ripe = [apply for left, apply in self._late if due(left)]
        self._late = [(left, apply) for left, apply in self._late if not due(left)]
        for apply in ripe:
            apply()

    def _replace_account(self, store: Store, name: str, **fields: object) -> None:
        changed = tuple(
            replace(account, **fields) if account.name == name else account  # type: ignore[arg-type]
            for account in self.plan.accounts_of(store)
        )
        self.become(_with_accounts(self.plan, store, changed))

    # --- firmware ---

    @property
    def rollback_due_s(self) -> int | None:
        """How many of the camera's seconds are left until it goes back by itself."""
        if self._rollback is None or self._rollback.cancelled():
            return None
        left = self._rollback.when() - asyncio.get_running_loop().time()
        return max(0, round(left * 60 / self.plan.minute_s))

    def flash(self, image: Image, *, commit: str = "boot", rollback_minutes: int | None = None) -> None:
        """Writes a checked image and restarts. Raises HungUp where the answer gets lost on the way."""
        plan, quirks = self.plan, self.plan.quirks
        if "upgrade-liar" in quirks:
            return
        self.flashed.append(image.version)
        self._auto = (commit, rollback_minutes)
        self.bricked = "upgrade-bricks" in quirks or image.defect == "brick"
        if "upgrade-reverts" not in quirks:
            loses = image.defect == "loses-accounts"
            self.become(
                replace(
                    plan,
                    firmware=image.version,
                    standby_firmware=plan.firmware,
                    committed=False,
                    defect=image.defect,
                    accounts=_vendors_own(plan) if loses else plan.accounts,
                    web_accounts=None if loses else plan.web_accounts,
                )
            )
        self._before = plan
        self.restart(factor=SLOW_FACTOR if "upgrade-slow" in quirks else 1)
        if "upgrade-drops" in quirks:
            raise HungUp

    def stage(self, image: Image, *, then: Callable[[], None] = lambda: None) -> None:
        """Takes a checked image in and writes it while going on; `then` is done when all is written."""
        self.staged = image
        self._staged_at = time.monotonic()
        self._staging_s = self.plan.reboot_s * (SLOW_FACTOR if "upgrade-slow" in self.plan.quirks else 1)
        self._after(self._staging_s, then)

    @property
    def staged_percent(self) -> int:
        """How much of it is written; 0 where there is none."""
        if self.staged is None:
            return 0
        return min(100, int(100 * (time.monotonic() - self._staged_at) / max(self._staging_s, 1e-9)))

    def commit(self) -> None:
        self._stop_timer()
        self.become(replace(self.plan, committed=True))

    def roll_back(self) -> None:
        """Back to the image in the other bank, and to the accounts where the new one had lost them."""
        plan = self.plan
        if plan.standby_firmware is None:
            return
        lost = plan.defect == "loses-accounts"
        self.become(
            replace(
                plan,
                firmware=plan.standby_firmware,
                standby_firmware=plan.firmware,
                committed=True,
                defect=self._before.defect,
                accounts=self._before.accounts if lost else plan.accounts,
                web_accounts=self._before.web_accounts if lost else plan.web_accounts,
            )
        )
        self.restart()

    def purge(self) -> None:
        self.become(replace(self.plan, standby_firmware=None))

    def cancel_rollback(self) -> None:
        """It will not go back by itself any more; the image stays as committed as it was."""
        self._auto = (self._auto[0], None)
        self._stop_timer()

    def _stop_timer(self) -> None:
        if self._rollback is not None:
            self._rollback.cancel()
            self._rollback = None

    # --- apps ---

    def install(self, app: App) -> None:
        self.become(replace(self.plan, apps=(*(a for a in self.plan.apps if a.name != app.name), app)))

    def remove_app(self, name: str) -> None:
        self.become(replace(self.plan, apps=tuple(a for a in self.plan.apps if a.name != name)))

    def run_app(self, name: str, *, running: bool) -> None:
        apps = tuple(replace(a, running=running) if a.name == name else a for a in self.plan.apps)
        self.become(replace(self.plan, apps=apps))


def _vendors_own(plan: CameraPlan) -> tuple[Account, ...]:
    return tuple(a for a in plan.accounts if a.name == VENDORS[plan.vendor].admin)


def _with_accounts(plan: CameraPlan, store: Store, accounts: tuple[Account, ...]) -> CameraPlan:
    """The login that the operator holds follows a change of its own password: he who changed it knows the new one."""
    login = plan.login
    if login is not None:
        before = {a.name: a.password for a in plan.accounts_of(store)}
        after = {a.name: a.password for a in accounts}
        if before.get(login.name) == login.password and login.name in after:
            login = replace(login, password=after[login.name])
    if store == "web" and plan.web_accounts is not None:
        return replace(plan, web_accounts=accounts, login=login)
    return replace(plan, accounts=accounts, login=login)
