"""What each setting wants, and what it makes of what a camera says."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from cameras.facts import (
    Account,
    Accounts,
    AnonymousViewer,
    ClockSource,
    DiscoveryMode,
    FilterTrial,
    Gap,
    IpFilter,
    NetworkService,
    NetworkServices,
    Switch,
    Switches,
    SyslogTarget,
    UnsignedApps,
)
from hardening import settings
from hardening.baseline import Baseline
from hardening.model import Order, Risk
from hardening.settings import BY_NAME, SETTINGS, AnySetting

FOLDER = Path(settings.__file__).parent
IN_ORDER, DRIFT, UNKNOWN, NOT_APPLICABLE = Order.IN_ORDER, Order.DRIFT, Order.UNKNOWN, Order.NOT_APPLICABLE


def services(**on: bool | None) -> NetworkServices:
    return NetworkServices(tuple(NetworkService(name, enabled, (1,)) for name, enabled in on.items()))


def switches(**on: bool | None) -> Switches:
    return Switches(tuple(Switch(name.replace("_", "-"), state) for name, state in on.items()))


NTP = {"servers": ["10.0.0.1", "ntp.example"]}
DHCP = {"from_dhcp": True}
KEEP = {"from_dhcp": True, "keep": True}
SYSLOG = {"server": "10.0.0.2", "port": 6514, "protocol": "tls"}
ACCOUNT = {"name": "audit", "role": "Operator"}

ALLOWED = {"addresses": ["10.0.0.5", "10.0.9.0/24"]}


def filtered(mode: str | None, *addresses: str, left_s: int = 0, besides: tuple[str, ...] = ()) -> object:
    trial = FilterTrial(left_s, besides, "10.0.9.1")
    return IpFilter(mode, addresses), trial  # type: ignore[arg-type] # one of its words


ROWS: Mapping[str, tuple[str, object, object, Order, str]] = {
    "the wanted servers, in another order": (
        "ntp", NTP, ClockSource(from_dhcp=False, servers=("NTP.example", "10.0.0.1")), IN_ORDER, "comes from"),
    "one server of two": ("ntp", NTP, ClockSource(from_dhcp=False, servers=("10.0.0.1",)), DRIFT, "10.0.0.1"),
    "no server": ("ntp", NTP, ClockSource(from_dhcp=False, servers=()), DRIFT, "no time server"),
    "DHCP instead of servers": ("ntp", NTP, ClockSource(from_dhcp=True, servers=()), DRIFT, "by DHCP"),
    "servers that DHCP gave": ("ntp", DHCP, ClockSource(from_dhcp=True, servers=("10.0.0.7",)), IN_ORDER, "by DHCP"),
    "DHCP not said": ("ntp", DHCP, ClockSource(from_dhcp=None, servers=()), UNKNOWN, "does not say"),
    "a server of its own is kept": ("ntp", KEEP, ClockSource(from_dhcp=None, servers=("10.9.9.9",)), IN_ORDER, "10.9"),
    "nothing to keep": ("ntp", KEEP, ClockSource(from_dhcp=False, servers=()), DRIFT, "no time server"),
    "the log goes where it should": ("syslog", SYSLOG, SyslogTarget(True, "10.0.0.2", 6514, "tls"), IN_ORDER, "10.0.0"),
    "the log goes elsewhere": ("syslog", SYSLOG, SyslogTarget(True, "10.0.0.9", 6514, "tls"), DRIFT, "10.0.0.9"),
    "the log goes by UDP": ("syslog", SYSLOG, SyslogTarget(True, "10.0.0.2", 6514, "udp"), DRIFT, "udp"),
    "the log stays": ("syslog", SYSLOG, SyslogTarget(False, "10.0.0.2", 6514, "tls"), DRIFT, "stays"),
    "the log's port not said": ("syslog", SYSLOG, SyslogTarget(True, "10.0.0.2", None, "tls"), UNKNOWN, "not say all"),
    "nothing said of the log": ("syslog", SYSLOG, SyslogTarget(None, None, None, None), UNKNOWN, "does not say"),
    "the account is there": ("service-account", ACCOUNT, Accounts((Account("audit", "Operator"),)), IN_ORDER, "Oper"),
    "no account": ("service-account", ACCOUNT, Accounts((Account("Audit", "Operator"),)), DRIFT, "none"),
    "more rights than wanted": (
        "service-account", ACCOUNT, Accounts((Account("audit", "Administrator"),)), DRIFT, "Admin"),
    "viewing without a login": ("anonymous-viewer", False, AnonymousViewer(allowed=True), DRIFT, "is allowed"),
    "viewing with a login": ("anonymous-viewer", False, AnonymousViewer(allowed=False), IN_ORDER, "not allowed"),
    "viewing not said": ("anonymous-viewer", False, AnonymousViewer(allowed=None), UNKNOWN, "does not say"),
    "it announces itself": ("discovery-mode", False, DiscoveryMode(discoverable=True), DRIFT, "announces"),
    "it does not": ("discovery-mode", False, DiscoveryMode(discoverable=False), IN_ORDER, "does not"),
    "it should announce itself": ("discovery-mode", True, DiscoveryMode(discoverable=False), DRIFT, "does not"),
    "UPnP alone is on": ("upnp-bonjour", False, switches(upnp=True, bonjour=False), DRIFT, "upnp: on"),
    "both are off": ("upnp-bonjour", False, switches(upnp=False, bonjour=False, ssh=True), IN_ORDER, "off"),
    "one is off, the other not said": ("upnp-bonjour", False, switches(upnp=False, bonjour=None), UNKNOWN, "bonjour"),
    "only one is there, and off": ("upnp-bonjour", False, switches(upnp=False), IN_ORDER, "upnp: off"),
    "neither is there": ("telnet-ftp", False, switches(upnp=True), NOT_APPLICABLE, "telnet or ftp"),
    "SNMP v2c is on": ("snmp-v1-v2c", False, switches(snmp_v1_v2c=True), DRIFT, "snmp-v1-v2c: on"),
    "Telnet is on": ("telnet-ftp", False, switches(telnet=True, ftp=None), DRIFT, "telnet: on"),
    "any application may be installed": ("unsigned-apps", False, UnsignedApps(allowed=True), DRIFT, "is allowed"),
    "only signed applications": ("unsigned-apps", False, UnsignedApps(allowed=False), IN_ORDER, "not allowed"),
    "signatures not said": ("unsigned-apps", False, UnsignedApps(allowed=None), UNKNOWN, "does not say"),
    "HTTPS is on": ("https", True, services(HTTPS=True), IN_ORDER, "HTTPS is on"),
    "HTTPS is off": ("https", True, services(HTTPS=False), DRIFT, "HTTPS is off"),
    "no HTTPS at all": ("https", True, services(HTTP=True), DRIFT, "lists no HTTPS"),
    "HTTPS not said": ("https", True, services(HTTPS=None), UNKNOWN, "does not say"),
    "HTTP is on": ("http", False, services(HTTP=True), DRIFT, "HTTP is on"),
    "HTTP is off, in small letters": ("http", False, services(http=False), IN_ORDER, "HTTP is off"),
    "no HTTP at all": ("http", False, services(HTTPS=True), IN_ORDER, "no HTTP"),
    "everybody is let in": ("ip-allow-list", ALLOWED, filtered("off"), DRIFT, "everybody"),
    "the listed ones, in other words": (
        "ip-allow-list", ALLOWED, filtered("allow", "10.0.9.7/24", "10.0.0.5/32"), IN_ORDER, "lets in only"),
    "the listed ones, one as a range": (
        "ip-allow-list", ALLOWED, filtered("allow", "10.0.9.0-10.0.9.255", "10.0.0.5"), IN_ORDER, "lets in only"),
    "one of the listed": ("ip-allow-list", ALLOWED, filtered("allow", "10.0.0.5"), DRIFT, "only 10.0.0.5"),
    "one more than listed": (
        "ip-allow-list", ALLOWED, filtered("allow", "10.0.9.0/24", "10.0.0.5", "::1"), DRIFT, "::1"),
    "an odd entry": ("ip-allow-list", ALLOWED, filtered("allow", "10.0.9.0/24", "10.0.0.5", "x-y"), DRIFT, "x-y"),
    "the listed ones kept out": (
        "ip-allow-list", ALLOWED, filtered("deny", "10.0.9.0/24", "10.0.0.5"), DRIFT, "keeps out"),
    "the listed ones, and a way past": (
        "ip-allow-list", ALLOWED, filtered("allow", "10.0.9.0/24", "10.0.0.5", besides=("ACCEPT tcpPort 80",)), DRIFT,
        "ACCEPT tcpPort 80"),
    "the listed ones on trial": (
        "ip-allow-list", ALLOWED, filtered("allow", "10.0.9.0/24", "10.0.0.5", left_s=9), DRIFT, "only on trial"),
    "who is let in not said": ("ip-allow-list", ALLOWED, filtered(None), UNKNOWN, "does not say"),
    "the listed ones where nothing can be tried": (
        "ip-allow-list", ALLOWED, (IpFilter("allow", ("10.0.9.0/24", "10.0.0.5")), Gap("unsupported", "no")), IN_ORDER,
        "lets in only"),
}  # fmt: skip


def judged(name: str, parameters: object, answer: Any) -> tuple[AnySetting, Any, Any]:  # noqa: ANN401
    ((setting, wanted),) = Baseline("row", {name: parameters}).wanted()
    return setting, setting.see(answer, wanted), wanted


@pytest.mark.parametrize(("name", "parameters", "answer", "order", "says"), ROWS.values(), ids=ROWS)
def test_judges(name: str, parameters: object, answer: object, order: Order, says: str) -> None:
    setting, seen, wanted = judged(name, parameters, answer)
    compared = setting.compare(seen, wanted)
    assert compared.order is order
    assert says in compared.reason


@pytest.mark.parametrize(("name", "parameters", "answer", "order", "says"), ROWS.values(), ids=ROWS)
def test_what_is_seen_and_wanted_travels_as_json(
    name: str, parameters: object, answer: object, order: Order, says: str
) -> None:
    setting, seen, wanted = judged(name, parameters, answer)
    assert setting.load(setting.dump(seen)) == seen
    assert setting.load(setting.dump(wanted)) == wanted
    assert (order, says) == (order, says)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_gap_is_unknown_and_says_why(setting: AnySetting) -> None:
    compared = setting.compare(Gap("unsupported", "it has no such question"), None)
    assert compared.order is UNKNOWN
    assert "unsupported" in compared.reason
    assert "no such question" in compared.reason


@pytest.mark.parametrize(("name", "parameters", "answer", "order", "says"), ROWS.values(), ids=ROWS)
def test_the_way_back_leads_to_what_was_seen(
    name: str, parameters: object, answer: object, order: Order, says: str
) -> None:
    setting, seen, _ = judged(name, parameters, answer)
    back = setting.back(seen)
    if back is not None:
        assert setting.judge(seen, back).order is IN_ORDER, (order, says)


def test_every_module_of_the_folder_is_in_the_list_under_its_own_name() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_")}
    assert modules == {setting.name.replace("-", "_") for setting in SETTINGS}
    for setting in SETTINGS:
        assert import_module(f"hardening.settings.{setting.name.replace('-', '_')}").SETTING is setting
    assert list(BY_NAME.values()) == list(SETTINGS)


def test_the_doors_come_last_and_the_clock_first() -> None:
    names = [setting.name for setting in SETTINGS]
    assert (names[0], names[-3:]) == ("ntp", ["https", "http", "ip-allow-list"])
    assert [setting.name for setting in SETTINGS if setting.risk is Risk.MAY_CUT_CONNECTION] == names[-3:]


def test_somebody_elses_account_is_not_taken() -> None:
    setting, seen, wanted = judged("service-account", ACCOUNT, Accounts((Account("audit", "Administrator"),)))
    assert "may be somebody's" in (setting.obstacle(seen, wanted) or "")
    assert setting.back(seen) is None


def test_every_setting_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "baselines.md").read_text()
    assert [setting.name for setting in SETTINGS if f"`{setting.name}`" not in page] == []
