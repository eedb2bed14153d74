"""Does the camera stop listening to somebody who guesses passwords?"""

from collections.abc import Sequence

from cameras.facts import Lockout
from scanners.model import Check, Judgement, Severity, failed, passed, undecided


def evaluate(lockout: Lockout) -> Sequence[Judgement]:
    evidence = {"enabled": lockout.enabled, "tries": lockout.tries, "lock_s": lockout.lock_s}
    if lockout.enabled is None:
        return [undecided("The camera does not say what wrong passwords lead to", subject="", **evidence)]
    if not lockout.enabled:
        return [failed("Wrong passwords may be tried without end", subject="", **evidence)]
    after = f"after {lockout.tries} wrong passwords" if lockout.tries else "after wrong passwords"
    spell = f" for {lockout.lock_s / 60:.3g} min" if lockout.lock_s else ""
    return [passed(f"It locks{spell} {after}", subject="", **evidence)]


CHECK = Check(
    id="lockout-off",
    title="Wrong passwords lock the camera for a while",
    severity=Severity.MEDIUM,
    rationale=(
        "A camera that answers every guess is found out by a word list in hours: it has no other defence, and nobody "
        "looks at its log. A lock after a handful of wrong passwords makes the same take years."
    ),
    remediation=(
        "Switch the lock on: 5 wrong passwords, then 10 to 30 minutes. Before that, look for recorders and clients "
        "that still try an old password: they would lock the camera for everybody, again and again. On Axis cameras "
        "it is called password throttling and keeps out the address that guesses, on others it locks the account."
    ),
    references=(
        "https://cwe.mitre.org/data/definitions/307.html",
        "https://www.etsi.org/deliver/etsi_en/303600_303699/303645/",
        "https://help.axis.com/en-us/axis-os-hardening-guide",
    ),
    standards={
        "NIST SP 800-53": ("AC-7",),
        "IEC 62443-3-3": ("SR 1.11",),
        "ETSI EN 303 645": ("5.1-5",),
    },
    needs=(Lockout,),
    evaluate=evaluate,
)
