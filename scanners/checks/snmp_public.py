"""Does SNMP answer to the community that everybody tries first?"""

from collections.abc import Sequence

from cameras.facts import SnmpAnswer
from scanners.model import Check, Judgement, Severity, failed, passed


def evaluate(snmp: SnmpAnswer) -> Sequence[Judgement]:
    if snmp.version is None:
        return [passed("Nothing answered to SNMP v1 or v2c with the community public", subject="")]
    evidence = {"version": snmp.version, "description": snmp.description, "object_id": snmp.object_id}
    itself = f" and calls itself '{snmp.description}'" if snmp.description else ""
    return [failed(f"SNMP {snmp.version} answers to the community public{itself}", subject="", **evidence)]


CHECK = Check(
    id="snmp-public",
    title="SNMP does not answer to the community public",
    severity=Severity.HIGH,
    rationale=(
        "`public` is the password of SNMP v1 and v2c that nearly every vendor documents as the default, and the first "
        "that anybody tries. Whoever says it reads the camera's addresses, neighbours, software and traffic, and can "
        "make the camera flood somebody else with answers to forged questions. Camwarden asks with it by UDP at "
        "port 161, and reads two values, how the camera describes itself and of what kind it is: that is no login, "
        "changes nothing and touches no lock-out counter. Where the default-password test is switched off it does not "
        "ask."
    ),
    remediation=(
        "Switch SNMP v1 and v2c off (baseline setting `snmp-v1-v2c: off`). Where a monitoring system asks the camera, "
        "give it SNMP v3 with a password; where it speaks v2c only, a community that nobody guesses and an address "
        "filter that lets nobody else in. The write community (`private`, `write`) is to be changed with it."
    ),
    references=(
        "https://www.rfc-editor.org/rfc/rfc3584",
        "https://cwe.mitre.org/data/definitions/1392.html",
        "https://www.cisa.gov/news-events/alerts/2017/06/05/reducing-risk-snmp-abuse",
    ),
    standards={
        "NIST SP 800-53": ("IA-5(1)", "CM-7"),
        "IEC 62443-3-3": ("SR 1.5", "SR 7.7"),
        "ETSI EN 303 645": ("5.1-1",),
        "CIS Controls v8": ("4.7", "4.8"),
    },
    needs=(SnmpAnswer,),
    evaluate=evaluate,
)
