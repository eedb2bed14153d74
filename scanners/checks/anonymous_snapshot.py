"""Does the camera give its picture to anybody?"""

from collections.abc import Sequence

from cameras.facts import AnonymousPictures
from scanners.checks._words import listed
from scanners.model import Check, Judgement, Severity, failed, passed, undecided

# Unauthorized and Forbidden: the two answers that prove a guarded picture.
_GUARDED = frozenset({401, 403})


def evaluate(answer: AnonymousPictures) -> Sequence[Judgement]:
    evidence = {"pictures": [{"url": p.url, "status": p.status, "picture": p.picture} for p in answer.pictures]}
    shown = [picture.url for picture in answer.pictures if picture.picture]
    if shown:
        return [failed(f"A picture came without a login from {listed(shown)}", subject="", **evidence)]
    if not answer.pictures:
        return [undecided("The camera names no snapshot address to try", subject="", **evidence)]
    statuses = {picture.status for picture in answer.pictures}
    if statuses <= _GUARDED:
        return [passed(f"No picture came without a login (status {listed(sorted(statuses))})", subject="", **evidence)]
    odd = listed(sorted(statuses - _GUARDED))
    return [
        undecided(
            f"A snapshot address answered with status {odd} and no picture, which says nothing about its login",
            subject="",
            **evidence,
        )
    ]


CHECK = Check(
    id="anonymous-snapshot",
    title="Pictures are given only after a login",
    severity=Severity.HIGH,
    rationale=(
        "Anybody who reaches the address sees what the camera sees, and nothing in the camera's log tells of it. The "
        "harm is to the people in the picture, and to the owner who answers for their privacy."
    ),
    remediation=(
        "Switch anonymous viewing off and require a login for snapshots (Axis: no anonymous viewers; Hikvision, "
        "Dahua and Hanwha: web authentication set to digest). Web pages and dashboards that embed the address "
        "without a login stop showing the picture: give them an account that may only view."
    ),
    references=(
        "https://www.onvif.org/ver10/media/wsdl/media.wsdl",
        "https://help.axis.com/en-us/axis-os-hardening-guide",
        "https://cwe.mitre.org/data/definitions/306.html",
    ),
    standards={
        "CWE": ("CWE-306",),
        "NIST SP 800-53": ("AC-3", "AC-14"),
        "IEC 62443-3-3": ("SR 1.1", "SR 2.1", "SR 4.1"),
        "ETSI EN 303 645": ("5.8-2",),
        "CIS Controls v8": ("3.3",),
    },
    needs=(AnonymousPictures,),
    evaluate=evaluate,
)
