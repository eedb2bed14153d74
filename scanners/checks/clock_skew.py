"""Does the camera know what time it is?"""

import math
from collections.abc import Sequence

from cameras.facts import Clock
from scanners.checks._words import duration
from scanners.knowledge import Policy
from scanners.model import Check, Judgement, Severity, failed, passed, undecided


def evaluate(clock: Clock, policy: Policy) -> Sequence[Judgement]:
    skew, uncertainty, limit = clock.skew_s, clock.uncertainty_s, policy.clock.skew_limit_s
    if skew is None or uncertainty is None or not math.isfinite(skew + uncertainty):
        return [undecided("The camera gives no time that can be read", utc=clock.utc)]
    evidence = {"utc": clock.utc, "skew_s": skew, "uncertainty_s": uncertainty, "limit_s": limit}
    words = f"The clock is {duration(skew)} {'ahead' if skew > 0 else 'behind'}"
    if abs(skew) - uncertainty > limit:
        return [failed(f"{words}; the limit is {duration(limit)}", subject="", **evidence)]
    return [passed(f"{words}, within {duration(limit)} and what the measurement allows", subject="", **evidence)]


CHECK = Check(
    id="clock-skew",
    title="The clock is right",
    severity=Severity.MEDIUM,
    rationale=(
        "Recordings with a wrong time are doubted as evidence, events of several cameras no longer fit together, and "
        "logins that are signed with the time, as ONVIF's are, fail for whoever has the right one."
    ),
    remediation=(
        "Give the camera a time server that it can reach, check zone and summer time, and replace the battery of a "
        "camera that forgets the time when it loses power. The jump leaves a gap or an overlap in recordings, once."
    ),
    references=(
        "https://www.rfc-editor.org/rfc/rfc5905",
        "https://www.rfc-editor.org/rfc/rfc8633",
        "https://www.onvif.org/specs/core/ONVIF-Core-Specification.pdf",
    ),
    standards={
        "NIST SP 800-53": ("AU-8", "SC-45"),
        "IEC 62443-3-3": ("SR 2.11",),
        "CIS Controls v8": ("8.4",),
    },
    needs=(Clock, Policy),
    evaluate=evaluate,
)
