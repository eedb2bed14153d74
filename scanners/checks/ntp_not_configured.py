"""Does something keep the camera's clock right?"""

from collections.abc import Sequence

from cameras.facts import Clock, ClockSource
from scanners.checks._words import listed
from scanners.model import Check, Judgement, Severity, failed, passed, undecided


def evaluate(clock: Clock, source: ClockSource) -> Sequence[Judgement]:
    evidence = {"source": clock.source, "servers": list(source.servers), "from_dhcp": source.from_dhcp}
    if clock.source is None:
        return [undecided("The camera does not say where it takes its time from", subject="", **evidence)]
    if clock.source == "manual":
        return [failed("The clock is set by hand", subject="", **evidence)]
    if source.servers:
        return [passed(f"The time comes from {listed(source.servers)}", subject="", **evidence)]
    if source.from_dhcp is None:
        return [
            undecided(
                "No time server is named, and the camera does not say whether DHCP gives one", subject="", **evidence
            )
        ]
    if source.from_dhcp:
        return [passed("The time server comes by DHCP", subject="", **evidence)]
    return [failed("NTP is on, but no time server is named and none comes by DHCP", subject="", **evidence)]


CHECK = Check(
    id="ntp-not-configured",
    title="The clock follows a time server",
    severity=Severity.MEDIUM,
    rationale=(
        "A clock that nothing corrects drifts by seconds a week and stands at the factory's date after a power cut. "
        "Whoever needs the recordings as evidence, and whoever searches logs after an incident, pays for it."
    ),
    remediation=(
        "Set at least one time server, best your own and reachable from the cameras' network, by hand or by DHCP "
        "option 42, and choose NTP as the source. Needs UDP 123 from the cameras to the server. Nothing breaks; the "
        "clock may jump once."
    ),
    references=(
        "https://www.rfc-editor.org/rfc/rfc8633",
        "https://www.onvif.org/ver10/device/wsdl/devicemgmt.wsdl",
        "https://help.axis.com/en-us/axis-os-hardening-guide",
    ),
    standards={
        "NIST SP 800-53": ("AU-8", "SC-45(1)"),
        "IEC 62443-3-3": ("SR 2.11",),
        "CIS Controls v8": ("8.4",),
    },
    needs=(Clock, ClockSource),
    evaluate=evaluate,
)
