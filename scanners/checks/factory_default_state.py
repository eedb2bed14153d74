"""Was the camera ever set up?"""

from collections.abc import Sequence

from cameras.facts import SetupState
from scanners.checks._words import listed
from scanners.model import Check, Judgement, Severity, failed, passed, undecided


def evaluate(state: SetupState) -> Sequence[Judgement]:
    evidence = [{"source": s.source, "factory_default": s.factory_default} for s in state.signals]
    fresh = [signal.source for signal in state.signals if signal.factory_default]
    if fresh:
        return [failed(f"The camera was never set up, says {listed(fresh)}", signals=evidence)]
    if not state.signals:
        return [undecided("The camera gives no sign of whether it was ever set up", signals=evidence)]
    return [
        passed(f"The camera is set up, says {listed([signal.source for signal in state.signals])}", signals=evidence)
    ]


CHECK = Check(
    id="factory-default-state",
    title="The camera has been set up",
    severity=Severity.CRITICAL,
    rationale=(
        "A camera in its factory state belongs to whoever comes first: they choose the administrator's password and "
        "lock the owner out, or leave everything open and watch."
    ),
    remediation=(
        "Complete the first set-up from a trusted network: set the administrator's password, then the accounts, time "
        "and HTTPS of your baseline. Nothing depends on the factory state. If a camera returned to it by itself, "
        "look for who pressed the reset."
    ),
    references=(
        "https://www.onvif.org/profiles/profile-q/",
        "https://help.axis.com/en-us/axis-os-hardening-guide",
        "https://cwe.mitre.org/data/definitions/1188.html",
    ),
    standards={
        "CWE": ("CWE-1188",),
        "NIST SP 800-53": ("CM-6", "IA-5"),
        "IEC 62443-3-3": ("SR 1.5", "SR 7.6"),
        "ETSI EN 303 645": ("5.1-1", "5.12-1"),
        "CIS Controls v8": ("4.1", "4.7"),
    },
    needs=(SetupState,),
    evaluate=evaluate,
)
