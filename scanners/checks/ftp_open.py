"""Does the camera offer files in clear text?"""

from collections.abc import Sequence

from cameras.facts import Banners, OpenPorts
from scanners.checks import _clear_text_service
from scanners.knowledge import PortTable
from scanners.model import Check, Judgement, Severity


def evaluate(ports: OpenPorts, banners: Banners, table: PortTable) -> Sequence[Judgement]:
    return _clear_text_service.judge("ftp", ports, banners, table)


CHECK = Check(
    id="ftp-open",
    title="No FTP service",
    severity=Severity.HIGH,
    rationale=(
        "FTP sends the password and every file readable. Whoever listens on the network can then read logs and "
        "configuration, and on older cameras put in firmware of their own, to the harm of everyone the camera "
        "watches."
    ),
    remediation=(
        "Switch the FTP server off in the camera's network settings, or block TCP 21 and 2121 at the switch. "
        "Uploading pictures to an FTP server is another setting and keeps working. Breaks tools that fetch files or "
        "flash firmware by FTP: use the web interface over HTTPS for that."
    ),
    references=(
        "https://www.rfc-editor.org/rfc/rfc2577",
        "https://cwe.mitre.org/data/definitions/319.html",
        "https://help.axis.com/en-us/axis-os-hardening-guide",
    ),
    standards={
        "CWE": ("CWE-319",),
        "NIST SP 800-53": ("CM-7", "SC-8"),
        "IEC 62443-3-3": ("SR 4.1", "SR 7.7"),
        "ETSI EN 303 645": ("5.5-7", "5.6-1"),
        "CIS Controls v8": ("3.10", "4.8"),
    },
    needs=(OpenPorts, Banners, PortTable),
    evaluate=evaluate,
)
