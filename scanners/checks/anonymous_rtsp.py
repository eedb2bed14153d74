"""Does the camera give its video to anybody?"""

from collections.abc import Sequence

from cameras.facts import AnonymousStreams
from scanners.checks._words import listed
from scanners.model import Check, Judgement, Severity, failed, passed, undecided

# Unauthorized and Forbidden: the two answers that prove a guarded stream.
_GUARDED = frozenset({401, 403})


def evaluate(answer: AnonymousStreams) -> Sequence[Judgement]:
    evidence = {"streams": [{"url": s.url, "status": s.status, "described": s.described} for s in answer.streams]}
    shown = [stream.url for stream in answer.streams if stream.described]
    if shown:
        return [failed(f"The stream is described without a login at {listed(shown)}", subject="", **evidence)]
    if not answer.streams:
        return [undecided("The camera names no stream address to try", subject="", **evidence)]
    statuses = {stream.status for stream in answer.streams}
    if statuses <= _GUARDED:
        return [
            passed(
                f"No stream is described without a login (status {listed(sorted(statuses))})", subject="", **evidence
            )
        ]
    odd = listed(sorted(statuses - _GUARDED))
    return [
        undecided(f"A stream answered with status {odd}, which says nothing about its login", subject="", **evidence)
    ]


CHECK = Check(
    id="anonymous-rtsp",
    title="Streams are given only after a login",
    severity=Severity.HIGH,
    rationale=(
        "Anybody who reaches the stream watches live video, and often hears sound, without leaving a trace. The harm "
        "is to the people filmed, and to the owner who answers for their privacy."
    ),
    remediation=(
        "Require a login for RTSP and choose Digest. Recorders and players that use an address without user and "
        "password lose the stream until they are given a viewing account."
    ),
    references=(
        "https://www.rfc-editor.org/rfc/rfc7826#section-19.1",
        "https://www.onvif.org/specs/stream/ONVIF-Streaming-Spec.pdf",
        "https://cwe.mitre.org/data/definitions/306.html",
    ),
    standards={
        "CWE": ("CWE-306",),
        "NIST SP 800-53": ("AC-3", "AC-14"),
        "IEC 62443-3-3": ("SR 1.1", "SR 2.1", "SR 4.1"),
        "ETSI EN 303 645": ("5.8-2",),
        "CIS Controls v8": ("3.3",),
    },
    needs=(AnonymousStreams,),
    evaluate=evaluate,
)
