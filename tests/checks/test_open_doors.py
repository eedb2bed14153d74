"""Passwords, anonymous access, services and plain HTTP: what a stranger could walk through."""

from dataclasses import replace

import pytest

from cameras.facts import (
    AnonymousOnvif,
    AnonymousPicture,
    AnonymousPictures,
    AnonymousStream,
    AnonymousStreams,
    Banners,
    CredentialTrial,
    CredentialTrials,
    LoginPage,
    LoginPages,
    NetworkService,
    NetworkServices,
    OpenPorts,
    SetupSignal,
    SetupState,
)
from scanners.checks import (
    anonymous_onvif,
    anonymous_rtsp,
    anonymous_snapshot,
    default_credentials,
    factory_default_state,
    ftp_open,
    http_basic_cleartext,
    http_cleartext_management,
    telnet_open,
    unexpected_port,
)
from scanners.model import Check
from tests.checks.evidence import INSIDE_TLS, PLAIN, PORTS, SERVICES, VISIT, banner, said


def trial(account: str, outcome: str, pair: str = "pair") -> CredentialTrial:
    return CredentialTrial(pair, account, outcome, "locked out" if outcome == "not-tried" else "")  # type: ignore[arg-type]


CREDENTIALS = {
    "a vendor without documented pairs": (CredentialTrials(None, "not-run", "", ()), {"": "unknown"}),
    "no vendor, whatever the control says": (
        CredentialTrials(None, "refused", "", (trial("root", "accepted"),)),
        {"": "unknown"},
    ),
    "a made-up account is let in": (
        CredentialTrials("axis", "accepted", "", (trial("root", "accepted"),)),
        {"": "unknown"},
    ),
    "the control could not run": (CredentialTrials("axis", "not-run", "nothing asks", ()), {"": "unknown"}),
    "nothing was tried": (CredentialTrials("axis", "refused", "", ()), {"": "unknown"}),
    "refused": (CredentialTrials("axis", "refused", "", (trial("root", "refused"),)), {"root": "pass"}),
    "accepted": (CredentialTrials("axis", "refused", "", (trial("root", "accepted"),)), {"root": "fail"}),
    "two accounts, one open": (
        CredentialTrials("dahua", "refused", "", (trial("admin", "refused"), trial("888888", "accepted"))),
        {"admin": "pass", "888888": "fail"},
    ),
    "stopped half-way": (
        CredentialTrials("dahua", "refused", "", (trial("admin", "refused"), trial("888888", "not-tried"))),
        {"admin": "pass", "888888": "unknown"},
    ),
    "two pairs of one account, the second works": (
        CredentialTrials("x", "refused", "", (trial("admin", "refused", "a"), trial("admin", "accepted", "b"))),
        {"admin": "fail"},
    ),
    "two pairs of one account, one left": (
        CredentialTrials("x", "refused", "", (trial("admin", "refused", "a"), trial("admin", "not-tried", "b"))),
        {"admin": "unknown"},
    ),
    "one works although another is left": (
        CredentialTrials("x", "refused", "", (trial("admin", "not-tried", "a"), trial("admin", "accepted", "b"))),
        {"admin": "fail"},
    ),
}


@pytest.mark.parametrize(("trials", "expected"), CREDENTIALS.values(), ids=CREDENTIALS)
def test_default_credentials(trials: CredentialTrials, expected: dict[str, str]) -> None:
    assert said(default_credentials.CHECK.evaluate(trials)) == expected


ONVIF = {
    "one answers": (AnonymousOnvif(("GetUsers",), ("GetNTP",)), "fail"),
    "all answer": (AnonymousOnvif(("GetUsers", "GetNTP"), ()), "fail"),
    "all are refused": (AnonymousOnvif((), ("GetUsers",)), "pass"),
    "none could be tried": (AnonymousOnvif((), ()), "unknown"),
}


@pytest.mark.parametrize(("answer", "expected"), ONVIF.values(), ids=ONVIF)
def test_anonymous_onvif(answer: AnonymousOnvif, expected: str) -> None:
    assert said(anonymous_onvif.CHECK.evaluate(answer)) == {"": expected}


def shot(status: int, *, picture: bool) -> AnonymousPicture:
    return AnonymousPicture(f"http://192.0.2.5/{status}", status, picture)


PICTURES = {
    "none listed": ((), "unknown"),
    "refused": ((shot(401, picture=False),), "pass"),
    "forbidden": ((shot(403, picture=False),), "pass"),
    "a page instead of a picture": ((shot(200, picture=False),), "unknown"),
    "no such address": ((shot(404, picture=False),), "unknown"),
    "one refused and one broken": ((shot(401, picture=False), shot(500, picture=False)), "unknown"),
    "a picture": ((shot(200, picture=True),), "fail"),
    "one of two gives a picture": ((shot(401, picture=False), shot(200, picture=True)), "fail"),
}


@pytest.mark.parametrize(("pictures", "expected"), PICTURES.values(), ids=PICTURES)
def test_anonymous_snapshot(pictures: tuple[AnonymousPicture, ...], expected: str) -> None:
    assert said(anonymous_snapshot.CHECK.evaluate(AnonymousPictures(pictures))) == {"": expected}


def stream(status: int, *, described: bool = False) -> AnonymousStream:
    return AnonymousStream(f"rtsp://192.0.2.5/{status}", status, described)


STREAMS = {
    "none listed": ((), "unknown"),
    "unauthorized": ((stream(401),), "pass"),
    "forbidden": ((stream(403),), "pass"),
    "unauthorized and forbidden": ((stream(401), stream(403)), "pass"),
    "described": ((stream(200, described=True),), "fail"),
    "one of two described": ((stream(401), stream(200, described=True)), "fail"),
    "not found": ((stream(404),), "unknown"),
    "no answer": ((stream(0),), "unknown"),
    "OK without a description": ((stream(200),), "unknown"),
    "one guarded, one odd": ((stream(401), stream(404)), "unknown"),
    "one described, one odd": ((stream(404), stream(200, described=True)), "fail"),
}


@pytest.mark.parametrize(("streams", "expected"), STREAMS.values(), ids=STREAMS)
def test_anonymous_rtsp(streams: tuple[AnonymousStream, ...], expected: str) -> None:
    assert said(anonymous_rtsp.CHECK.evaluate(AnonymousStreams(streams))) == {"": expected}


SIGNALS = {
    "no sign": ((), "unknown"),
    "set up": ((SetupSignal("scope", factory_default=False),), "pass"),
    "never set up": ((SetupSignal("scope", factory_default=True),), "fail"),
    "two signs disagree": (
        (SetupSignal("scope", factory_default=False), SetupSignal("ready", factory_default=True)),
        "fail",
    ),
    "one sign twice, first the bad one": (
        (SetupSignal("scope", factory_default=True), SetupSignal("scope", factory_default=False)),
        "fail",
    ),
}


@pytest.mark.parametrize(("signals", "expected"), SIGNALS.values(), ids=SIGNALS)
def test_factory_default_state(signals: tuple[SetupSignal, ...], expected: str) -> None:
    assert said(factory_default_state.CHECK.evaluate(SetupState(signals))) == {"": expected}


# Telnet's usual port and another, then FTP's: the rows are the same.
SERVICE = {
    "closed": ((80,), (), "pass"),
    "greets on its own port": ((80, 1), ((1, "own"),), "fail"),
    "greets on the second port": ((2,), ((2, "own"),), "fail"),
    "greets on a port of another kind": ((9527,), ((9527, "own"),), "fail"),
    "a greeting of a port that is not open": ((80,), ((1, "own"),), "pass"),
    "open and mute": ((1,), ((1, None),), "unknown"),
    "open, its greeting not read": ((1,), (), "unknown"),
    "another service lives there": ((1,), ((1, "ssh"),), "pass"),
    "mute on one port, greets on the other": ((1, 2), ((1, None), (2, "own")), "fail"),
    "another service on one port, mute on the other": ((1, 2), ((1, "http"), (2, None)), "unknown"),
    "an open port of another kind that says nothing": ((8000,), ((8000, None),), "pass"),
}


@pytest.mark.parametrize(
    ("check", "own", "usual"),
    [(telnet_open.CHECK, "telnet", (23, 2323)), (ftp_open.CHECK, "ftp", (21, 2121))],
    ids=["telnet", "ftp"],
)
@pytest.mark.parametrize(("is_open", "greetings", "expected"), SERVICE.values(), ids=SERVICE)
def test_clear_text_services(
    check: Check,
    own: str,
    usual: tuple[int, int],
    is_open: tuple[int, ...],
    greetings: tuple[tuple[int, str | None], ...],
    expected: str,
) -> None:
    ports = dict(zip((1, 2), usual, strict=True))
    opened = tuple(ports.get(port, port) for port in is_open)
    banners = Banners(tuple(banner(ports.get(p, p), own if what == "own" else what) for p, what in greetings))
    tried = OpenPorts(opened, closed=tuple(port for port in usual if port not in opened), silent=())
    assert said(check.evaluate(tried, banners, VISIT.ports)) == {"": expected}


@pytest.mark.parametrize("check", [telnet_open.CHECK, ftp_open.CHECK], ids=lambda check: check.id)
def test_a_silent_port_passes_and_an_untried_one_does_not(check: Check) -> None:
    silent = OpenPorts(open=(80,), closed=(), silent=(21, 23, 2121, 2323))
    untried = OpenPorts(open=(80,), closed=(443,), silent=())
    assert said(check.evaluate(silent, Banners(()), VISIT.ports)) == {"": "pass"}
    assert said(check.evaluate(untried, Banners(()), VISIT.ports)) == {"": "unknown"}


def services(*, enabled: bool | None = True, ports: tuple[int, ...] = (80,)) -> NetworkServices:
    return NetworkServices((NetworkService("HTTP", enabled, ports),))


SURPRISES = {
    "only declared ports": (PORTS.open, SERVICES, (), {"": "pass"}),
    "one more": ((80, 8000), services(), (), {"tcp/8000": "fail"}),
    "two more": ((80, 8000, 37777), services(), (), {"tcp/8000": "fail", "tcp/37777": "fail"}),
    "a port that no table knows": ((80, 60000), services(), (), {"tcp/60000": "fail"}),
    "discovery is expected": ((80, 3702), services(), (), {"": "pass"}),
    "the port that we spoke through": ((80,), services(ports=(443,)), (), {"": "pass"}),
    "declared but switched off, yet open": ((443,), services(enabled=False, ports=(443,)), (), {"tcp/443": "fail"}),
    "declared without saying whether it is on": ((443,), services(enabled=None, ports=(443,)), (), {"": "pass"}),
    "Telnet is judged elsewhere": ((80, 23), services(), ((23, "telnet"),), {"": "pass"}),
    "FTP is judged elsewhere": ((80, 2121), services(), ((2121, "ftp"),), {"": "pass"}),
    "a mute port 23 is judged here too": ((80, 23), services(), ((23, None),), {"tcp/23": "fail"}),
    "a shell is judged here": ((80, 22), services(), ((22, "ssh"),), {"tcp/22": "fail"}),
    "no service is declared at all": ((80, 8000), NetworkServices(()), (), {"": "unknown"}),
}


@pytest.mark.parametrize(("is_open", "declared", "greetings", "expected"), SURPRISES.values(), ids=SURPRISES)
def test_unexpected_port(
    is_open: tuple[int, ...],
    declared: NetworkServices,
    greetings: tuple[tuple[int, str | None], ...],
    expected: dict[str, str],
) -> None:
    banners = Banners(tuple(banner(port, what) for port, what in greetings))
    ports = OpenPorts(is_open, closed=(), silent=())
    assert said(unexpected_port.CHECK.evaluate(ports, declared, banners, VISIT.ports)) == expected


def test_a_known_port_is_named_with_its_risk_and_its_switch() -> None:
    ports = OpenPorts((8000,), closed=(), silent=())
    [judgement] = unexpected_port.CHECK.evaluate(ports, SERVICES, Banners((banner(8000, None, "hi"),)), VISIT.ports)
    assert "TCP port 8000 is open (usually Hikvision SDK)" in judgement.summary
    assert {"risk", "close", "what"} <= {key for key, value in judgement.evidence.items() if value}
    assert judgement.evidence["banner"] == "hi"


CLEARTEXT = {
    "redirects to HTTPS": ((PLAIN,), {"tcp/80": "pass"}),
    "serves a page": ((replace(PLAIN, status=200, redirects_to=None),), {"tcp/80": "fail"}),
    "redirects to plain HTTP": ((replace(PLAIN, redirects_to="http"),), {"tcp/80": "fail"}),
    "asks for a password": ((replace(PLAIN, status=401, redirects_to=None, schemes=("digest",)),), {"tcp/80": "fail"}),
    "only HTTPS": ((INSIDE_TLS,), {"": "pass"}),
    "no page at all": ((), {"": "pass"}),
    "two plain ports, one good": (
        (PLAIN, replace(PLAIN, port=8080, redirects_to=None), INSIDE_TLS),
        {"tcp/80": "pass", "tcp/8080": "fail"},
    ),
}


@pytest.mark.parametrize(("pages", "expected"), CLEARTEXT.values(), ids=CLEARTEXT)
def test_http_cleartext_management(pages: tuple[LoginPage, ...], expected: dict[str, str]) -> None:
    assert said(http_cleartext_management.CHECK.evaluate(LoginPages(pages))) == expected


def asking(*schemes: str, tls: bool = False) -> LoginPages:
    return LoginPages((replace(PLAIN, status=401, redirects_to=None, schemes=schemes, tls=tls),))


BASIC = {
    "Basic in clear text": (asking("basic"), {"tcp/80": "fail"}),
    "Basic beside Digest in clear text": (asking("digest", "basic"), {"tcp/80": "fail"}),
    "Digest in clear text": (asking("digest"), {"tcp/80": "pass"}),
    "a password asked for without naming a scheme": (asking(), {"tcp/80": "pass"}),
    "Basic inside TLS": (asking("basic", tls=True), {"tcp/80": "pass"}),
    "no page asks": (LoginPages((PLAIN,)), {"": "not-applicable"}),
    "no page at all": (LoginPages(()), {"": "not-applicable"}),
    "one page asks, the other does not": (LoginPages((PLAIN, INSIDE_TLS)), {"tcp/443": "pass"}),
}


@pytest.mark.parametrize(("pages", "expected"), BASIC.values(), ids=BASIC)
def test_http_basic_cleartext(pages: LoginPages, expected: dict[str, str]) -> None:
    assert said(http_basic_cleartext.CHECK.evaluate(pages)) == expected
