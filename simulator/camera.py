"""One camera's web server: front page, login path, vendor signals, snapshots, and the door to its ONVIF services."""

import json
from types import MappingProxyType
from typing import TYPE_CHECKING

from simulator import onvif
from simulator.auth import Entry, Guard
from simulator.http import Reply, Request, response
from simulator.odd import ODD, SOAP
from simulator.picture import JPEG
from simulator.plan import CameraPlan
from simulator.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Callable

JSON, XML, TEXT = b"application/json", b"application/xml", b"text/plain"
HTML = b"text/html; charset=utf-8"
_BOOT_ID = "2f1d6d2c-0b7e-4b0a-9f0e-5d6a7c8b9a10"
ELSEWHERE = "http://192.0.2.1/login.html"
_FRONT = "<!DOCTYPE html><html><head><title>{name}</title></head><body><h1>{name}</h1></body></html>"
_LOCK_XML = (
    '<?xml version="1.0" encoding="UTF-8"?><userCheck><statusValue>401</statusValue><statusString>Unauthorized'
    "</statusString><lockStatus>lock</lockStatus><unlockTime>1800</unlockTime><retryLoginTime>0</retryLoginTime>"
    "</userCheck>"
)


class Camera:
    """What answers behind all ports of one camera. `requests` counts what reached its web server."""

    def __init__(self, plan: CameraPlan) -> None:
        vendor = VENDORS[plan.vendor]
        compact = plan.mac.replace(":", "").upper()
        self.plan = plan
        self.guard = Guard(plan, vendor.realm.format(mac=compact, tail=compact[-6:]))
        self.values = onvif.values_of(plan)
        self.requests = 0
        self._vendor = vendor
        self._server = f"Server: {vendor.server}\r\n".encode()
        self._odd = dict(plan.odd_replies)
        self._slow = "slow" in plan.quirks
        self._fault_status = {"Sender": 400, "Receiver": 500}
        if "fault-200" in plan.quirks:
            self._fault_status = {"Sender": 200, "Receiver": 200}
        self._pages: dict[str, Callable[[Request], Reply]] = {
            **dict.fromkeys(onvif.PATHS, self._soap),
            "/": self._front_page,
        }
        for target in _snapshot_targets(plan):
            self._pages[target.partition("?")[0]] = self._snapshot
        if vendor.login_path:
            self._pages[vendor.login_path.partition("?")[0]] = self._login_page
        signal = _SETUP_SIGNALS.get(plan.vendor)
        if signal:
            self._pages[signal[0]] = lambda _request: self._page(200, signal[2](plan), signal[1])

    def handle(self, request: Request) -> Reply:
        self.requests += 1
        page = self._pages.get(request.path)
        reply = page(request) if page else self._page(404, "Not Found", TEXT)
        if self._slow:
            reply.slow = True
        return reply

    # --- web ---

    def _front_page(self, request: Request) -> Reply:
        plan = self.plan
        if not request.tls and "redirect-elsewhere" in plan.quirks:
            return self._redirect(ELSEWHERE)
        if not request.tls and plan.redirects_to_https and plan.https_port:
            port = "" if plan.https_port == 443 else f":{plan.https_port}"  # noqa: PLR2004 - the usual port
            return self._redirect(f"https://{plan.address}{port}/")
        page = self._page(200, _FRONT.format(name=self._vendor.manufacturer), HTML)
        if not plan.setup_done:
            return page
        return self._behind_login(request, page, basic=plan.basic_on_http and not request.tls)

    def _login_page(self, request: Request) -> Reply:
        if not self.plan.setup_done:
            return self._page(403 if self.plan.vendor == "hanwha" else 200, "", TEXT)
        return self._behind_login(request, self._page(200, "OK\r\n", TEXT))

    def _snapshot(self, request: Request) -> Reply:
        picture = Reply(response(200, JPEG, b"image/jpeg", server=self._server))
        if "snapshot" in self.plan.anonymous:
            return picture
        return self._behind_login(request, picture)

    def _behind_login(self, request: Request, page: Reply, *, basic: bool = False) -> Reply:
        entry = self.guard.check_http(request.header(b"Authorization"), request.method, request.target, basic=basic)
        if entry is Entry.GRANTED:
            return page
        challenges = self.guard.challenges(stale=entry is Entry.STALE, basic=basic)
        if entry is Entry.LOCKED and self.plan.vendor == "hikvision":
            return self._page(401, _LOCK_XML, XML, challenges)
        if entry is Entry.LOCKED:
            return self._page(401, self._vendor.locked_text, TEXT, challenges)
        return self._page(401, "Unauthorized", TEXT, challenges)

    def _page(self, status: int, text: str, content_type: bytes, headers: bytes = b"") -> Reply:
        return Reply(response(status, text.encode(), content_type, headers, self._server))

    def _redirect(self, url: str) -> Reply:
        return self._page(302, "", HTML, f"Location: {url}\r\n".encode())

    # --- ONVIF ---

    def _soap(self, request: Request) -> Reply:
        if request.method != "POST":
            return self._page(405, "", TEXT, b"Allow: POST\r\n")
        asked = onvif.question(request.body)
        if asked is None:
            return self._fault("Sender", ("WellFormed",), "Well-formed Error")
        if (asked.service, asked.operation) not in onvif.PRE_AUTH and "onvif" not in self.plan.anonymous:
            refusal = self._refusal(request, asked)
            if refusal is not None:
                return refusal
        return self._answer(asked)

    def _answer(self, asked: onvif.Question) -> Reply:
        body = onvif.answer(self.plan, self.values, asked)
        if body is None:
            if asked.service in self.plan.media and onvif.wants_unknown_profile(asked):
                return self._fault("Sender", ("InvalidArgVal", "NoProfile"), "The requested profile does not exist.")
            return self._fault("Receiver", ("ActionNotSupported",), "Optional Action Not Implemented")
        message = onvif.envelope(self.values, body)
        odd = self._odd.get(asked.operation)
        return ODD[odd](message) if odd else Reply(response(200, message, SOAP, server=self._server))

    def _refusal(self, request: Request, asked: onvif.Question) -> Reply | None:
        """Core, "Authentication over HTTP and HTTPS": 401 where digest is offered, else 400 and NotAuthorized."""
        auth = self.plan.auth
        header = request.header(b"Authorization")
        by_http = auth != "wsse"
        if header is not None and b"UsernameToken" in asked.head:
            return self._fault("Sender", ("NotAuthorized",), "One authentication method at a time")
        entry = Entry.NO_CREDENTIALS
        if by_http:
            entry = self.guard.check_http(header, request.method, request.target)
        if entry is Entry.NO_CREDENTIALS and "wsse" in auth:
            entry = self.guard.check_wsse(asked.head)
        if entry is Entry.GRANTED:
            return None
        text = self._refusal_text(entry)
        if entry is Entry.LOCKED:
            return self._fault("Sender", ("NotAuthorized",), text)
        if by_http and not (header is None and b"UsernameToken" in asked.head and "wsse" in auth):
            challenge = self.guard.challenges(stale=entry is Entry.STALE)
            return self._fault("Sender", ("NotAuthorized",), text, status=401, headers=challenge)
        return self._fault("Sender", ("NotAuthorized",), text)

    def _refusal_text(self, entry: Entry) -> str:
        if entry is Entry.LOCKED:
            return self._vendor.locked_text
        if entry is Entry.WRONG:
            return self._vendor.wrong_text.format(left=self.guard.tries_left)
        return {
            Entry.OUT_OF_TIME: "Wsse authorized time check failed",
            Entry.REPLAYED: "The nonce was used before",
        }.get(entry, "Sender not Authorized")

    def _fault(
        self, side: str, codes: tuple[str, ...], text: str, *, status: int | None = None, headers: bytes = b""
    ) -> Reply:
        message = onvif.envelope(self.values, onvif.fault(self.values, side, codes, text))
        return Reply(response(status or self._fault_status[side], message, SOAP, headers, self._server))


def _snapshot_targets(plan: CameraPlan) -> list[str]:
    return [onvif.snapshot_target(plan, profile[0]) for profile in onvif.PROFILES]


def _system_ready(plan: CameraPlan) -> str:
    needs_setup = "no" if plan.setup_done else "yes"
    data = {"systemready": "yes", "needsetup": needs_setup, "uptime": "7800", "bootid": _BOOT_ID}
    return json.dumps({"apiVersion": "1.4", "method": "systemready", "data": data})


def _activate_status(plan: CameraPlan) -> str:
    activated = "true" if plan.setup_done else "false"
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ActivateStatus version="2.0" '
        f'xmlns="http://www.hikvision.com/ver20/XMLSchema"><Activated>{activated}</Activated></ActivateStatus>'
    )


_SETUP_SIGNALS = MappingProxyType(
    {
        "axis": ("/axis-cgi/systemready.cgi", JSON, _system_ready),
        "hikvision": ("/SDK/activateStatus", XML, _activate_status),
    }
)
