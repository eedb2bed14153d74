"""Does the camera invite a password over plain HTTP with Basic authentication?"""

from collections.abc import Sequence

from cameras.facts import LoginPage, LoginPages
from scanners.checks._words import listed
from scanners.model import Check, Judgement, Severity, failed, not_applicable, passed


def evaluate(answer: LoginPages) -> Sequence[Judgement]:
    judged = [_judge(page, page.schemes) for page in answer.pages if page.schemes is not None]
    if not judged:
        urls = [page.url for page in answer.pages]
        return [not_applicable("No page asks for a password by HTTP authentication", pages=urls)]
    return judged


def _judge(page: LoginPage, schemes: Sequence[str]) -> Judgement:
    subject, offered = f"tcp/{page.port}", sorted(schemes)
    if page.tls:
        return passed(f"Port {page.port} asks inside TLS", subject=subject, url=page.url, offered=offered)
    if "basic" in offered:
        return failed(f"Port {page.port} offers Basic in clear text", subject=subject, url=page.url, offered=offered)
    words = f"Port {page.port} offers no reversible scheme, only {listed(offered) or 'none that we know'}"
    return passed(words, subject=subject, url=page.url, offered=offered)


CHECK = Check(
    id="http-basic-cleartext",
    title="No Basic authentication over plain HTTP",
    severity=Severity.HIGH,
    rationale=(
        "Basic sends the password in a form that anybody can turn back. Each login over plain HTTP hands it to every "
        "host on the path, and with it the camera and every other device that has the same password."
    ),
    remediation=(
        "Set web authentication to digest only, or serve HTTPS only. Very old recorders and scripts that know "
        "nothing but Basic fail afterwards: update them, or let them in over HTTPS. Change passwords that were used "
        "this way."
    ),
    references=(
        "https://www.rfc-editor.org/rfc/rfc7617#section-4",
        "https://www.rfc-editor.org/rfc/rfc7616",
        "https://cwe.mitre.org/data/definitions/522.html",
    ),
    standards={
        "CWE": ("CWE-319", "CWE-522"),
        "NIST SP 800-53": ("IA-5(1)", "SC-8"),
        "IEC 62443-3-3": ("SR 1.5", "SR 4.1"),
        "ETSI EN 303 645": ("5.5-7",),
        "CIS Controls v8": ("3.10",),
    },
    needs=(LoginPages,),
    evaluate=evaluate,
)
