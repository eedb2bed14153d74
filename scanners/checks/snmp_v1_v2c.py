"""Is SNMP spoken in the versions that know no password worth the name?"""

from collections.abc import Sequence

from cameras.facts import Switches
from scanners.model import Check, Judgement, Severity, failed, passed, undecided


def evaluate(switches: Switches) -> Sequence[Judgement]:
    found = next((switch for switch in switches.switches if switch.name == "snmp-v1-v2c"), None)
    if found is None or found.on is None:
        return [undecided("The camera does not say whether it speaks SNMP v1 or v2c", subject="")]
    if found.on:
        return [failed("SNMP v1 or v2c is on", subject="")]
    return [passed("SNMP v1 and v2c are off", subject="")]


CHECK = Check(
    id="snmp-v1-v2c",
    title="SNMP is off, or version 3",
    severity=Severity.MEDIUM,
    rationale=(
        "Versions 1 and 2c send their community string in clear text, and it is mostly still `public`: whoever listens "
        "or guesses reads the camera's addresses, neighbours and software, and with the write community changes them."
    ),
    remediation=(
        "Switch SNMP v1 and v2c off (baseline setting `snmp-v1-v2c: off`). Where a monitoring system asks the camera, "
        "give it SNMP v3 with a password first: it goes blind otherwise."
    ),
    references=(
        "https://www.rfc-editor.org/rfc/rfc3414",
        "https://cwe.mitre.org/data/definitions/319.html",
        "https://help.axis.com/en-us/axis-os-hardening-guide",
    ),
    standards={
        "NIST SP 800-53": ("CM-7", "SC-8"),
        "IEC 62443-3-3": ("SR 7.7",),
        "CIS Controls v8": ("4.8",),
    },
    needs=(Switches,),
    evaluate=evaluate,
)
