"""One conversation with one Axis camera in VAPIX: JSON, REST, parameters, and older calls that answer in words.

Every kind but REST answers its refusals under HTTP 200, so what came back is judged by what it says.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from cameras.errors import Garbled, Refused, Unsupported
from cameras.http import DeviceHttp, HttpLogin, Reply
from cameras.upload import FileBody
from cameras.vapix_replies import decode_json, decode_parameters, decode_words, expect
from cameras.vapix_rest import DISCOVERY, ROOT, Listed, decode_listed, decode_rest, others_than

FORM = "application/x-www-form-urlencoded"
METHOD_NOT_ALLOWED = 405


class Vapix:
    """Asks with the login that was proved, or as a stranger. Raises `cameras.errors`.

    `once`, for changes, is `DeviceHttp.request`'s.
    """

    def __init__(self, http: DeviceHttp, login: HttpLogin | None) -> None:
        self.http = http
        self.login = login
        self._listed: Listed | None = None
        self._was_asked_what_it_lists = False

    @property
    def account(self) -> str | None:
        return self.login.credential.username if self.login else None

    async def ask(
        self,
        cgi: str,
        method: str,
        params: Mapping[str, object] | None = None,
        *,
        version: str = "1.0",
        signed: bool = True,
        once: bool = False,
    ) -> Mapping[str, Any]:
        """A JSON call: the `data` of its answer."""
        content = json.dumps(envelope(method, params, version)).encode()
        reply = await self._send(cgi, content, "application/json", signed=signed, once=once)
        return decode_json(reply, method)

    async def words(self, cgi: str, form: Mapping[str, str], *, secret: bool = False, once: bool = False) -> str:
        """A call of the older kind. What is secret travels in the body; the rest may stand in the address."""
        if secret:
            return decode_words(await self._send(cgi, urlencode(form).encode(), FORM, once=once), cgi)
        return decode_words(await self.raw(cgi, form, once=once), cgi)

    async def raw(self, cgi: str, form: Mapping[str, str], *, once: bool = False) -> Reply:
        """As `words`, for calls that answer in something else."""
        return await self._send(f"{cgi}?{urlencode(form)}" if form else cgi, b"", FORM, once=once)

    async def parameters(self, *names: str) -> Mapping[str, str]:
        """Parameters and groups by name; those that this camera lacks are missing from the answer."""
        form = {"action": "list", "group": ",".join(names), "responseformat": "rfc"}
        return decode_parameters(await self._send("param.cgi", urlencode(form).encode(), FORM))

    async def set_parameters(self, values: Mapping[str, str]) -> None:
        """Refused where the camera lacks one of them or does not take its value."""
        form = {"action": "update", **values}
        said = decode_words(await self._send("param.cgi", urlencode(form).encode(), FORM, once=True), "param.cgi")
        expect(said, "OK", "param.cgi")

    async def rest(self, path: str) -> Any:  # noqa: ANN401 - JSON of any shape
        """What stands at a path of the REST framework: the `data` of its answer.

        Unsupported where it is not there, and with nothing asked where it lists its APIs and this one, or this version
        of it, is not among them. Where it lists nothing (before AXIS OS 11.8), or what cannot be read, it is asked.
        """
        listed = await self._lists()
        if listed is not None and (others := others_than(listed, path)) is not None:
            api, version = path.split("/")[:2]
            raise Unsupported(
                f"{api}: it has {', '.join(others)}, and we know {version}" if others else f"it has no {api}"
            )
        return decode_rest(await self._rest("GET", path), path)

    def has_other_versions(self, path: str) -> bool:
        """After `rest` said Unsupported: whether this API is there all the same, in versions that we do not know."""
        return self._listed is not None and bool(others_than(self._listed, path))

    async def set_rest(self, path: str, value: object) -> None:
        """To be read first, as `do_rest`: that is what looks whether we know this API."""
        await self._change_rest("PATCH", path, value)

    async def do_rest(self, path: str, data: object) -> None:
        """An action of the REST framework."""
        await self._change_rest("POST", path, data)

    async def _change_rest(self, method: str, path: str, data: object) -> None:
        """Up to AXIS OS 11.10 both were PUT (VAPIX, Device Configuration APIs). 405 says that nothing was done."""
        content = json.dumps({"data": data}).encode()
        reply = await self._rest(method, path, content, once=True)
        if reply.status == METHOD_NOT_ALLOWED:
            reply = await self._rest("PUT", path, content, once=True)
        decode_rest(reply, path)

    async def _lists(self) -> Listed | None:
        """Asked once per connection."""
        if not self._was_asked_what_it_lists:
            try:
                self._listed = decode_listed(await self._at(DISCOVERY))
            except (Unsupported, Refused, Garbled):
                self._listed = None
            self._was_asked_what_it_lists = True
        return self._listed

    async def _rest(self, method: str, path: str, content: bytes = b"", *, once: bool = False) -> Reply:
        return await self._at(f"{ROOT}{path}", method, content, once=once)

    async def _at(self, path: str, method: str = "GET", content: bytes = b"", *, once: bool = False) -> Reply:
        url = self.http.base.copy_with(raw_path=path.encode())
        headers = {"Content-Type": "application/json"}
        return await self.http.request(method, url, content=content, headers=headers, login=self.login, once=once)

    async def send_file(self, cgi: str, body: FileBody, content_type: str) -> Reply:
        return await self._send(cgi, body, content_type)

    async def _send(
        self, path: str, content: bytes | FileBody, content_type: str, *, signed: bool = True, once: bool = False
    ) -> Reply:
        url = self.http.base.copy_with(raw_path=f"/axis-cgi/{path}".encode())
        headers = {"Content-Type": content_type}
        login = self.login if signed else None
        return await self.http.request("POST", url, content=content, headers=headers, login=login, once=once)


def envelope(method: str, params: Mapping[str, object] | None = None, version: str = "1.0") -> Mapping[str, object]:
    """A JSON call. Only the major version is asked for: cameras disagree with themselves about their minor ones."""
    asked: dict[str, object] = {"apiVersion": version, "context": "camwarden", "method": method}
    return asked if params is None else {**asked, "params": dict(params)}
