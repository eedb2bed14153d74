"""May an application be installed on the camera that nobody has signed?"""

from collections.abc import Sequence

from cameras.facts import UnsignedApps
from scanners.model import Check, Judgement, Severity, failed, passed, undecided


def evaluate(unsigned: UnsignedApps) -> Sequence[Judgement]:
    if unsigned.allowed is None:
        return [undecided("The camera does not say whether it takes applications that nobody has signed", subject="")]
    if unsigned.allowed:
        return [failed("It takes applications that nobody has signed", subject="")]
    return [passed("It takes signed applications only", subject="")]


CHECK = Check(
    id="unsigned-apps",
    title="Only signed applications can be installed",
    severity=Severity.LOW,
    rationale=(
        "An application runs on the camera for years, beside its pictures and on your network. Without a signature "
        "nobody can say who made it, or whether it was changed on its way here: whoever has an administrator's "
        "password for a minute leaves one behind that works on after the password was changed."
    ),
    remediation=(
        "Let the camera take signed applications only (baseline setting `unsigned-apps: off`). Those that are "
        "installed stay, signed or not, but an unsigned one can then be neither updated nor installed again after a "
        "reset: look first whether an integrator's is among them, and ask for a signed one. AXIS OS has the switch "
        "from 11.2; up to 11.11 it is open as delivered, from 12.0 closed."
    ),
    references=(
        "https://developer.axis.com/acap/3/services-for-partners/accept-or-deny-unsigned-acap-applications",
        "https://cwe.mitre.org/data/definitions/494.html",
        "https://help.axis.com/en-us/axis-os-hardening-guide",
    ),
    standards={
        "CWE": ("CWE-494",),
        "NIST SP 800-53": ("CM-14", "SI-7(15)"),
        "IEC 62443-3-3": ("SR 3.4",),
        "CIS Controls v8": ("2.5",),
    },
    needs=(UnsignedApps,),
    evaluate=evaluate,
)
