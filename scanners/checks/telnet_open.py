"""Does the camera offer a shell in clear text?"""

from collections.abc import Sequence

from cameras.facts import Banners, OpenPorts
from scanners.checks import _clear_text_service
from scanners.knowledge import PortTable
from scanners.model import Check, Judgement, Severity


def evaluate(ports: OpenPorts, banners: Banners, table: PortTable) -> Sequence[Judgement]:
    return _clear_text_service.judge("telnet", ports, banners, table)


CHECK = Check(
    id="telnet-open",
    title="No Telnet service",
    severity=Severity.CRITICAL,
    rationale=(
        "Telnet gives a shell, on most cameras as root, and sends the password readable. Worms such as Mirai took "
        "over hundreds of thousands of cameras through it; a camera taken over films for strangers and attacks its "
        "own network."
    ),
    remediation=(
        "Switch Telnet off in the camera's network or security settings. Where the firmware has no switch, block TCP "
        "23 and 2323 at the switch or firewall now, then update the firmware or replace the camera. Breaks only "
        "scripts and support tools that log in by Telnet."
    ),
    references=(
        "https://www.rfc-editor.org/rfc/rfc854",
        "https://cwe.mitre.org/data/definitions/319.html",
        "https://www.cisa.gov/news-events/alerts/2016/10/14/heightened-ddos-threat-posed-mirai-and-other-botnets",
    ),
    standards={
        "CWE": ("CWE-319",),
        "NIST SP 800-53": ("CM-7", "SC-8", "AC-17(2)"),
        "IEC 62443-3-3": ("SR 4.1", "SR 7.7"),
        "ETSI EN 303 645": ("5.5-7", "5.6-1"),
        "CIS Controls v8": ("4.8",),
    },
    needs=(OpenPorts, Banners, PortTable),
    evaluate=evaluate,
)
