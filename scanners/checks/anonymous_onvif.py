"""Does the camera's API answer without a login?"""

from collections.abc import Sequence

from cameras.facts import AnonymousOnvif
from scanners.checks._words import listed
from scanners.model import Check, Judgement, Severity, failed, passed, undecided


def evaluate(answer: AnonymousOnvif) -> Sequence[Judgement]:
    evidence = {"answered": list(answer.answered), "refused": list(answer.refused)}
    if answer.answered:
        return [failed(f"Answered without a login: {listed(answer.answered)}", subject="", **evidence)]
    if answer.refused:
        return [passed(f"Refused without a login: {listed(answer.refused)}", subject="", **evidence)]
    return [undecided("No protected operation could be tried without a login", subject="", **evidence)]


CHECK = Check(
    id="anonymous-onvif",
    title="The ONVIF service asks for a login",
    severity=Severity.HIGH,
    rationale=(
        "Without a login anybody on the network reads accounts, addresses and stream locations, and on most such "
        "cameras changes them too. The people in front of the camera and the owner of its network both lose."
    ),
    remediation=(
        "Set a password for the ONVIF account and switch ONVIF authentication on; on a camera that was never set up, "
        "complete the set-up. Recorders that were added without a login must be given one, or they lose the camera."
    ),
    references=(
        "https://www.onvif.org/specs/core/ONVIF-Core-Specification.pdf",
        "https://cwe.mitre.org/data/definitions/306.html",
    ),
    standards={
        "CWE": ("CWE-306",),
        "NIST SP 800-53": ("AC-3", "AC-14", "IA-2"),
        "IEC 62443-3-3": ("SR 1.1", "SR 2.1"),
        "ETSI EN 303 645": ("5.5-5", "5.6-2"),
        "CIS Controls v8": ("3.3",),
    },
    needs=(AnonymousOnvif,),
    evaluate=evaluate,
)
