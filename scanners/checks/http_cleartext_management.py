"""Can the camera be managed without encryption?"""

from collections.abc import Sequence

from cameras.facts import LoginPage, LoginPages
from scanners.model import Check, Judgement, Severity, failed, passed


def evaluate(answer: LoginPages) -> Sequence[Judgement]:
    plain = [page for page in answer.pages if not page.tls]
    if not plain:
        return [passed("No page answers over plain HTTP", pages=[page.url for page in answer.pages])]
    return [_judge(page) for page in plain]


def _judge(page: LoginPage) -> Judgement:
    subject = f"tcp/{page.port}"
    evidence = {"url": page.url, "status": page.status, "redirects_to": page.redirects_to, "server": page.server}
    if page.redirects_to == "https":
        return passed(f"Port {page.port} only sends the browser on to HTTPS", subject=subject, **evidence)
    return failed(f"Port {page.port} serves plain HTTP (status {page.status})", subject=subject, **evidence)


CHECK = Check(
    id="http-cleartext-management",
    title="Management is reachable only over HTTPS",
    severity=Severity.MEDIUM,
    rationale=(
        "Over plain HTTP whoever is on the path reads pictures and settings, takes over a signed-in session, and can "
        "change what the administrator sees. Digest protects the password but nothing else."
    ),
    remediation=(
        "Install a certificate that your clients trust, then set the web server to HTTPS only or let HTTP redirect "
        "to it. Recorders, scripts and ONVIF clients that use http:// addresses fail afterwards: move them to "
        "https:// first."
    ),
    references=(
        "https://www.rfc-editor.org/rfc/rfc9110#section-4.2.2",
        "https://help.axis.com/en-us/axis-os-hardening-guide",
        "https://cwe.mitre.org/data/definitions/319.html",
    ),
    standards={
        "CWE": ("CWE-319",),
        "NIST SP 800-53": ("AC-17(2)", "SC-8", "SC-8(1)"),
        "IEC 62443-3-3": ("SR 3.1", "SR 4.1"),
        "ETSI EN 303 645": ("5.5-1", "5.5-7"),
        "CIS Controls v8": ("3.10", "4.6"),
    },
    needs=(LoginPages,),
    evaluate=evaluate,
)
