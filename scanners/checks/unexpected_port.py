"""Is a port open that neither the camera nor our table accounts for?"""

from collections.abc import Sequence

from cameras.facts import Banners, NetworkServices, OpenPorts
from scanners.checks._words import count
from scanners.knowledge import PortTable
from scanners.model import Check, Judgement, Severity, failed, passed, undecided

# Ports that prove these are the business of checks of their own.
_JUDGED_ELSEWHERE = frozenset({"telnet", "ftp"})


def evaluate(ports: OpenPorts, services: NetworkServices, banners: Banners, table: PortTable) -> Sequence[Judgement]:
    if not services.services:
        return [undecided("The camera names none of its own services, so no port can be called unexpected")]
    declared = {port for service in services.services if service.enabled is not False for port in service.ports}
    elsewhere = {banner.port for banner in banners.banners if banner.protocol in _JUDGED_ELSEWHERE}
    surprising = [p for p in ports.open if p not in declared and p not in elsewhere and not table.is_expected(p)]
    if not surprising:
        tried = len(ports.open) + len(ports.closed) + len(ports.silent)
        return [passed(f"Nothing unexpected among {count(tried, 'port')} tried", open=list(ports.open))]
    said = {banner.port: banner.text for banner in banners.banners}
    return [_surprise(port, said.get(port), table, sorted(declared)) for port in surprising]


def _surprise(port: int, banner: str | None, table: PortTable, declared: list[int]) -> Judgement:
    known = table.get(port)
    meaning = f"usually {known.name}" if known else "what listens there is not known"
    return failed(
        f"TCP port {port} is open ({meaning}) and the camera does not declare it",
        subject=f"tcp/{port}",
        declared=declared,
        banner=banner,
        what=known.what if known else None,
        risk=known.risk if known else None,
        close=known.close if known else None,
    )


CHECK = Check(
    id="unexpected-port",
    title="Only declared services are reachable",
    severity=Severity.MEDIUM,
    rationale=(
        "Each further service is a further door to the same camera, often with accounts, patches and logs of its own "
        "that nobody looks after. Whoever owns the estate cannot defend a door that they do not know of."
    ),
    remediation=(
        "Find out which service it is (the evidence says what usually listens there and how to close it), then "
        "switch it off or let only the recorder reach it. Vendor recorders and apps may use the vendor's own port: "
        "look at what connects before closing it."
    ),
    references=(
        "https://www.onvif.org/ver10/device/wsdl/devicemgmt.wsdl",
        "https://www.iana.org/assignments/service-names-port-numbers",
        "https://cwe.mitre.org/data/definitions/1125.html",
    ),
    standards={
        "CWE": ("CWE-1125",),
        "NIST SP 800-53": ("CM-7", "CM-7(1)", "SC-7"),
        "IEC 62443-3-3": ("SR 7.7",),
        "ETSI EN 303 645": ("5.6-1", "5.6-5"),
        "CIS Controls v8": ("4.8",),
    },
    needs=(OpenPorts, NetworkServices, Banners, PortTable),
    evaluate=evaluate,
)
