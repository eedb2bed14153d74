"""Things that answer in a network and are no camera. A tool that finds a weakness or a product in them guesses."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from simulator.http import Reply, Request, response

HTML = b"text/html; charset=utf-8"
_BLAND = b"<html><head><title>Welcome</title></head><body><p>OK</p></body></html>"
_PRINTER = b"<html><head><title>LaserPrint 2200</title></head><body><h1>Ready</h1><p>Toner 64 %</p></body></html>"
_RUBBISH = b'<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><<&\x00\xff</s:'


class Decoy:
    """A web server that answers by its kind. `logins` counts the requests that carried credentials."""

    def __init__(self, kind: str) -> None:
        self._answer = _ANSWERS[kind]
        self.requests = 0
        self.logins = 0

    def handle(self, request: Request) -> Reply | None:
        self.requests += 1
        if request.header(b"Authorization") or b"UsernameToken" in request.body:
            self.logins += 1
        return self._answer(request)


def _yes(_request: Request) -> Reply:
    return Reply(response(200, _BLAND, HTML))


def _router(_request: Request) -> Reply:
    challenge = b'WWW-Authenticate: Basic realm="Home Gateway"\r\n'
    return Reply(response(401, b"401 Unauthorized", HTML, challenge, b"Server: micro_httpd\r\n"))


def _printer(request: Request) -> Reply:
    if request.path == "/" and request.method == "GET":
        return Reply(response(200, _PRINTER, HTML))
    return Reply(response(404, b"Not Found", b"text/plain"))


def _silence(_request: Request) -> None:
    return None


def _garbled(request: Request) -> Reply:
    if request.path.startswith("/onvif"):
        return Reply(response(200, _RUBBISH, b"application/soap+xml; charset=utf-8"))
    return Reply(response(404, b"Not Found", b"text/plain"))


_ANSWERS: Mapping[str, Callable[[Request], Reply | None]] = MappingProxyType(
    {
        "yes-to-everything": _yes,
        "router": _router,
        "printer": _printer,
        "silent": _silence,
        "garbled": _garbled,
        "rtsp-only": _silence,
    }
)
