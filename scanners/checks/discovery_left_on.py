"""Does the camera tell everybody who asks what it is?"""

from collections.abc import Sequence

from cameras.facts import DiscoveryMode
from scanners.model import Check, Judgement, Severity, failed, passed


def evaluate(mode: DiscoveryMode) -> Sequence[Judgement]:
    if mode.discoverable:
        return [failed("The camera answers WS-Discovery probes", mode="Discoverable")]
    return [passed("The camera does not answer WS-Discovery probes", mode="NonDiscoverable")]


CHECK = Check(
    id="discovery-left-on",
    title="WS-Discovery is off once the camera is enrolled",
    severity=Severity.LOW,
    rationale=(
        "Discovery names model, hardware and address to every host, which saves an intruder the search. Reachable "
        "from the internet, it answers forged requests and floods third parties with the replies."
    ),
    remediation=(
        "Set ONVIF discovery to non-discoverable after enrolment. Cameras can then no longer be found by search in "
        "recorders and tools, only by address; switch it on again while you add recorders."
    ),
    references=(
        "https://www.onvif.org/ver10/device/wsdl/devicemgmt.wsdl",
        "https://docs.oasis-open.org/ws-dd/discovery/1.1/os/wsdd-discovery-1.1-spec-os.html",
        "https://www.cisa.gov/news-events/alerts/2014/01/17/udp-based-amplification-attacks",
        "https://cwe.mitre.org/data/definitions/406.html",
    ),
    standards={
        "CWE": ("CWE-200", "CWE-406"),
        "NIST SP 800-53": ("CM-7", "SC-5"),
        "IEC 62443-3-3": ("SR 7.7",),
        "ETSI EN 303 645": ("5.6-1", "5.6-2"),
        "CIS Controls v8": ("4.8",),
    },
    needs=(DiscoveryMode,),
    evaluate=evaluate,
)
