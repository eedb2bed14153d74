"""One camera's web server: front page, login path, vendor signals, snapshots, and the door to its ONVIF services."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus

from simulator import mtom, onvif, onvif_services, ssdp, transfers
from simulator.api import GROUPS, Answer, Api, Call, Group, Page
from simulator.apis import APIS
from simulator.auth import Entry
from simulator.device import Device, HungUp
from simulator.http import Reply, Request, response
from simulator.odd import ODD, SOAP
from simulator.onvif_writes import BACKUP_PATH, RESTORE_PATH, UPGRADE_PATH, WRITES, Refusal, has_transfers, operation
from simulator.picture import JPEG
from simulator.plan import Account, CameraPlan
from simulator.studio import Studio
from simulator.tls import Authority
from simulator.vendors import VENDORS

TEXT = b"text/plain"
HTML = b"text/html; charset=utf-8"
BINARY = b"application/octet-stream"
ONVIF_SWITCH = "Integrate/ONVIF/enable"
"""Where a camera keeps whether ONVIF is spoken there."""
ELSEWHERE = "http://192.0.2.1/login.html"
_FRONT = "<!DOCTYPE html><html><head><title>{name}</title></head><body><h1>{name}</h1></body></html>"


class Camera(Device):
    """What answers behind all ports of one camera. `requests` counts what reached its web server."""

    def __init__(self, plan: CameraPlan, authority: Authority) -> None:
        super().__init__(plan, authority)
        vendor = VENDORS[plan.vendor]
        self.studio: Studio | None = None
        self._vendor = vendor
        self._server = f"Server: {vendor.server}\r\n".encode()
        self._slow = "slow" in plan.quirks
        self._fault_status = {"Sender": 400, "Receiver": 500}
        if "fault-200" in plan.quirks:
            self._fault_status = {"Sender": 200, "Receiver": 200}
        self._pages: dict[str, Callable[[Request], Reply]] = {
            **dict.fromkeys(onvif.PATHS, self._soap),
            "/": self._front_page,
        }
        self._api = APIS.get(plan.vendor)
        for target in _snapshot_targets(plan, self._api):
            self._pages[target.partition("?")[0]] = self._snapshot
        if plan.vendor == "axis":
            self._pages[ssdp.PATH] = self._description
        elif vendor.login_path and self._api is None:
            self._pages[vendor.login_path.partition("?")[0]] = self._login_page
        if has_transfers(plan):
            self._pages[BACKUP_PATH] = self._backup
        if "appmgmt" in onvif.services_of(plan):
            self._pages[onvif_services.APP_UPLOAD_PATH] = self._take_app

    def lets_in(self, address: str, port: int) -> bool:
        """Whether it takes a new connection from there to this port of its own."""
        return self._api is None or self._api.lets_in(self.plan, address, port)

    def handle(self, request: Request) -> Reply:
        self.count_request()
        if not self.awake:
            return Reply(b"", close=True)
        page = self._pages.get(request.path) or self._api_page(request)
        if page is None and request.path.startswith((UPGRADE_PATH, RESTORE_PATH)):
            page = self._upload
        try:
            reply = page(request) if page else self._page(404, "Not Found", TEXT)
        except HungUp:
            return Reply(b"", close=True)
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
        page = self._page(200, _FRONT.format(name=plan.oem_label or self._vendor.manufacturer), HTML)
        if not plan.setup_done:
            return page
        return self._behind_login(request, page, basic=plan.basic_on_http and not request.tls)

    def _description(self, _request: Request) -> Reply:
        """What UPnP tells anybody who asks."""
        if not ssdp.is_on(self.plan):
            return self._page(404, "Not Found", TEXT)
        return self._page(200, ssdp.description(self.plan), b"text/xml")

    def _login_page(self, request: Request) -> Reply:
        if not self.plan.setup_done:
            return self._page(200, "", TEXT)
        return self._behind_login(request, self._page(200, "OK\r\n", TEXT))

    def _snapshot(self, request: Request) -> Reply:
        if self.plan.defect == "no-picture":
            return self._behind_login(request, self._page(503, "Service Unavailable", TEXT))
        picture = Reply(response(200, JPEG, b"image/jpeg", server=self._server))
        if self.studio is not None and self.plan.picture is not None:
            picture = Reply(b"", later=partial(self._drawn, self.studio, onvif.size_of(self.plan, request.target)))
        if "snapshot" in self.plan.anonymous:
            return picture
        return self._behind_login(request, picture)

    async def _drawn(self, studio: Studio, size: tuple[int, int]) -> bytes:
        jpeg = await studio.work(partial(studio.snapshot, self.plan, size))
        return response(200, jpeg, b"image/jpeg", server=self._server)

    def _behind_login(self, request: Request, page: Reply, *, basic: bool = False) -> Reply:
        entry = self.guard.check_http(request.header(b"Authorization"), request.method, request.target, basic=basic)
        if entry is Entry.GRANTED:
            return page
        challenges = self.guard.challenges(stale=entry is Entry.STALE, basic=basic)
        if self._api is not None:
            answer = self._api.refused(Call(self, request), entry)
            return self._sent(replace(answer, headers=answer.headers + challenges))
        if entry is Entry.LOCKED:
            return self._page(401, self._vendor.locked_text, TEXT, challenges)
        return self._page(401, "Unauthorized", TEXT, challenges)

    def _page(self, status: int, text: str, content_type: bytes, headers: bytes = b"") -> Reply:
        return Reply(response(status, text.encode(), content_type, headers, self._server))

    def _redirect(self, url: str) -> Reply:
        return self._page(302, "", HTML, f"Location: {url}\r\n".encode())

    # --- the vendor's own API ---

    def _api_page(self, request: Request) -> Callable[[Request], Reply] | None:
        api = self._api
        page = api.page_at(request.path) if api else None
        return partial(self._api_answer, api, page) if api and page else None

    def _api_answer(self, api: Api, page: Page, request: Request) -> Reply:
        plan = self.plan
        if not request.tls and "vapix-redirects" in plan.quirks and plan.redirects_to_https and plan.https_port:
            return self._redirect(f"https://{plan.address}:{plan.https_port}{request.target}")
        call = Call(self, request)
        group = page.group(call)
        turned_away = self._turned_away(api, call, group) if group else None
        answer = turned_away or page.answer(replace(call, caller=self._caller()) if group else call)
        return self._sent(answer)

    def _sent(self, answer: Answer) -> Reply:
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        return Reply(response(answer.status, body, answer.content_type, answer.headers, self._server))

    def _turned_away(self, api: Api, call: Call, group: Group) -> Answer | None:
        """What somebody hears who may not ask; None where he may."""
        request = call.request
        if not self.plan.setup_done:
            return api.not_set_up(call)
        offer = api.offer(call)
        header = request.header(b"Authorization")
        entry = self.guard.check_http(header, request.method, request.target, basic=offer.basic)
        caller = self._caller() if entry is Entry.GRANTED else None
        if caller is not None and group in GROUPS[caller.role]:
            return None
        answer = api.refused(call, entry if caller is None else None)
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        challenges = self.guard.challenges(stale=entry is Entry.STALE, basic=offer.basic, digest=offer.digest)
        return replace(answer, headers=answer.headers + challenges)

    def _caller(self) -> Account | None:
        return next((a for a in self.plan.accounts_of("web") if a.name == self.guard.caller), None)

    # --- files by HTTP ---

    def _backup(self, request: Request) -> Reply:
        def page() -> Reply:
            return Reply(response(200, transfers.backup(self), BINARY, server=self._server))

        return self._for_administrators(request, page)

    def _upload(self, request: Request) -> Reply:
        if request.method != "POST":
            return self._page(405, "", TEXT, b"Allow: POST\r\n")
        return self._for_administrators(
            request, lambda: self._page(transfers.upload(self, request.path, request.body), "", TEXT)
        )

    def _take_app(self, request: Request) -> Reply:
        if request.method != "POST":
            return self._page(405, "", TEXT, b"Allow: POST\r\n")
        kind = request.header(b"Content-Type") or ""
        return self._for_administrators(
            request, lambda: self._page(onvif_services.take_app(self, kind, request.body), "", TEXT)
        )

    def _for_administrators(self, request: Request, page: Callable[[], Reply]) -> Reply:
        """By HTTP login; a camera that has WS-Security only knows the client by the address it was given."""
        if "digest" not in self.plan.auth:
            return page()
        entry = self.guard.check_http(request.header(b"Authorization"), request.method, request.target, store="onvif")
        if entry is not Entry.GRANTED:
            return self._page(401, "Unauthorized", TEXT, self.guard.challenges(stale=entry is Entry.STALE))
        return page() if self._caller_is_administrator() else self._page(403, "Forbidden", TEXT)

    # --- ONVIF ---

    def _soap(self, request: Request) -> Reply:
        if dict(self.plan.parameters).get(ONVIF_SWITCH) == "false":
            return self._page(404, "Not Found", TEXT)
        if request.method != "POST":
            return self._page(405, "", TEXT, b"Allow: POST\r\n")
        message, files = mtom.opened(request)
        asked = onvif.question(message)
        if asked is None:
            return self._fault("Sender", ("WellFormed",), "Well-formed Error")
        beyond = onvif_services.OPERATIONS.get((asked.service, asked.operation))
        write = beyond.changes if beyond else asked.service == "device" and asked.operation in WRITES
        if self._needs_login(asked, write=write):
            refusal = self._refusal(request, asked)
            if refusal is not None:
                return refusal
            if write and not self._caller_is_administrator():
                return self._fault("Sender", ("NotAuthorized",), "The user's level does not allow this action")
        if beyond and asked.service in onvif.services_of(self.plan):
            return self._beyond(asked, beyond, files)
        return self._change(asked) if write and not beyond else self._answer(asked)

    def _beyond(self, asked: onvif.Question, wanted: onvif_services.Operation, files: Mapping[str, bytes]) -> Reply:
        try:
            said = wanted.do(self, operation(asked.message), files)
        except Refusal as refusal:
            return self._fault(refusal.side, refusal.codes, refusal.text)
        inside, beside = (said, {}) if isinstance(said, str) else said
        body = onvif_services.answered(asked.operation, asked.service, inside)
        message = onvif.envelope(self.values, body)
        if not beside:
            return self._said(asked, message)
        return Reply(response(200, mtom.packed(message, beside), mtom.CONTENT_TYPE, server=self._server))

    def _needs_login(self, asked: onvif.Question, *, write: bool) -> bool:
        """In the factory default state everything is open; a camera that is open to questions still guards changes."""
        if write:
            return self.plan.setup_done
        return (asked.service, asked.operation) not in onvif.PRE_AUTH and "onvif" not in self.plan.anonymous

    def _caller_is_administrator(self) -> bool:
        return any(a.name == self.guard.caller and a.role == "Administrator" for a in self.plan.accounts)

    def _change(self, asked: onvif.Question) -> Reply:
        try:
            inside = WRITES[asked.operation](self, operation(asked.message))
        except Refusal as refusal:
            return self._fault(refusal.side, refusal.codes, refusal.text)
        name = f"tds:{asked.operation}Response"
        message = onvif.envelope(self.values, f"<{name}>{inside}</{name}>" if inside else f"<{name}/>")
        return self._said(asked, message)

    def _answer(self, asked: onvif.Question) -> Reply:
        body = onvif.answer(self.plan, self.values, asked)
        if body is None:
            if asked.service in self.plan.media and onvif.wants_unknown_profile(asked):
                return self._fault("Sender", ("InvalidArgVal", "NoProfile"), "The requested profile does not exist.")
            return self._fault("Receiver", ("ActionNotSupported",), "Optional Action Not Implemented")
        message = onvif.envelope(self.values, body)
        return self._said(asked, message)

    def _said(self, asked: onvif.Question, message: bytes) -> Reply:
        odd = dict(self.plan.odd_replies).get(asked.operation)
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
            entry = self.guard.check_http(header, request.method, request.target, store="onvif")
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


def _snapshot_targets(plan: CameraPlan, api: Api | None) -> list[str]:
    by_onvif = [onvif.snapshot_target(plan, profile[0]) for profile in onvif.PROFILES]
    return [*by_onvif, *(api.pictures(plan) if api else ())]
