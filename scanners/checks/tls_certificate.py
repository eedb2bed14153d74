"""Can a client trust the camera's certificate?"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from cameras.facts import TlsPosture, TlsPostures
from scanners.checks._words import duration
from scanners.knowledge import Policy
from scanners.model import Check, Judgement, Severity, failed, not_applicable, passed, undecided


def evaluate(postures: TlsPostures, policy: Policy) -> Sequence[Judgement]:
    if not postures.endpoints:
        return [not_applicable("No port speaks TLS")]
    seen_at = _instant(postures.seen_at)
    return [_judge(endpoint, seen_at, policy) for endpoint in postures.endpoints]


def _judge(endpoint: TlsPosture, seen_at: datetime, policy: Policy) -> Judgement:
    subject, faults = f"tcp/{endpoint.port}", list(_faults(endpoint, seen_at, policy))
    evidence = {
        "certificate_subject": endpoint.subject,
        "issued_by": endpoint.issuer,
        "not_before": endpoint.not_before,
        "not_after": endpoint.not_after,
        "key": f"{endpoint.key_type} {endpoint.key_bits or ''}".strip(),
        "signature_hash": endpoint.signature_hash,
        "fingerprint": endpoint.fingerprint,
        "protocol": endpoint.protocol,
        "faults": faults,
    }
    if faults:
        return failed(f"The certificate on port {endpoint.port} {', '.join(faults)}", subject=subject, **evidence)
    if _is_rsa(endpoint) and endpoint.key_bits is None:
        return undecided(f"The RSA key on port {endpoint.port} has no known size", subject=subject, **evidence)
    left = duration((_instant(endpoint.not_after) - seen_at).total_seconds())
    return passed(f"The certificate on port {endpoint.port} is good for {left}", subject=subject, **evidence)


def _faults(endpoint: TlsPosture, seen_at: datetime, policy: Policy) -> Iterator[str]:
    begins, ends = _instant(endpoint.not_before), _instant(endpoint.not_after)
    if ends < seen_at:
        yield f"expired {duration((seen_at - ends).total_seconds())} ago"
    elif ends - seen_at <= timedelta(days=policy.tls.days_left):
        yield f"expires in {duration((ends - seen_at).total_seconds())}"
    if begins > seen_at:
        yield f"is not valid for another {duration((begins - seen_at).total_seconds())}"
    if endpoint.self_signed:
        yield "is signed by itself"
    if _is_rsa(endpoint) and endpoint.key_bits is not None and endpoint.key_bits < policy.tls.rsa_bits:
        yield f"has an RSA key of only {endpoint.key_bits} bits"
    if endpoint.signature_hash and endpoint.signature_hash.casefold().replace("-", "") in policy.tls.weak_hashes:
        yield f"is signed with {endpoint.signature_hash}"


def _is_rsa(endpoint: TlsPosture) -> bool:
    return endpoint.key_type.casefold().startswith("rsa")


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


CHECK = Check(
    id="tls-certificate",
    title="The certificate can be trusted",
    severity=Severity.MEDIUM,
    rationale=(
        "With a certificate that no client can check, people learn to click warnings away and software is told to "
        "check nothing. Then somebody between operator and camera takes the password and shows another picture, "
        "unnoticed."
    ),
    remediation=(
        "Install a certificate of your own authority: the camera's name or address in it, RSA of 2048 bits or more "
        "or an elliptic curve, SHA-256, and renew it a month before it ends. Clients that pinned the old certificate "
        "must learn the new one; others need your authority's certificate. Set the clock first: a wrong date makes a "
        "good certificate look bad."
    ),
    references=(
        "https://www.rfc-editor.org/rfc/rfc5280",
        "https://www.rfc-editor.org/rfc/rfc9155",
        "https://csrc.nist.gov/pubs/sp/800/52/r2/final",
        "https://cwe.mitre.org/data/definitions/326.html",
    ),
    standards={
        "CWE": ("CWE-326", "CWE-328"),
        "NIST SP 800-53": ("SC-12", "SC-17", "IA-5(2)"),
        "IEC 62443-3-3": ("SR 1.8", "SR 1.9", "SR 4.3"),
        "ETSI EN 303 645": ("5.5-1",),
        "CIS Controls v8": ("3.10",),
    },
    needs=(TlsPostures, Policy),
    evaluate=evaluate,
)
