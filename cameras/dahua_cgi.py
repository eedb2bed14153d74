"""One conversation with one camera of the Dahua family over its HTTP API: questions, orders, tables of settings, files.

Everything that is asked or told stands in the query, which Digest protects from nobody: what is secret is told over a
connection inside TLS only (`DahuaCgi.inside_tls`).
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote, urlencode

from cameras.dahua_replies import Table, decode_table, expect_ok
from cameras.errors import DeviceError, Refused, Unreachable, Unsupported
from cameras.http import DeviceHttp, HttpLogin, Reply
from cameras.untrusted import clean_text
from cameras.upload import FileBody

Parameters = Mapping[str, str]


class DahuaCgi:
    """Asks with the login that was proved. Raises `cameras.errors`."""

    def __init__(self, http: DeviceHttp, login: HttpLogin) -> None:
        self.http = http
        self.login = login

    @property
    def account(self) -> str:
        return self.login.credential.username

    async def ask(
        self, cgi: str, action: str, parameters: Parameters | None = None, unknown: type[DeviceError] = Unsupported
    ) -> Table:
        return decode_table(await self._get(cgi, action, parameters or {}), f"{cgi} {action}", unknown)

    async def tell(
        self, cgi: str, action: str, parameters: Parameters | None = None, unknown: type[DeviceError] = Refused
    ) -> None:
        """Sent once. Refused where it says no."""
        expect_ok(await self._get(cgi, action, parameters or {}, once=True), f"{cgi} {action}", unknown)

    async def settings(self, table: str) -> Table:
        """The table's settings, by names that begin with its own. Unsupported where it is not there, or not for us."""
        said = await self.ask("configManager.cgi", "getConfig", {"name": table})
        return {name.removeprefix("table."): value for name, value in said.items() if name.startswith("table.")}

    async def set_settings(self, table: str, values: Parameters) -> None:
        """Only what is there by exactly that name is changed, and it is read back: the camera may say OK to a name
        that it does not know. Unsupported with nothing sent, Refused where it kept what it had.
        """
        before = await self.settings(table)
        missing = [name for name in values if name not in before]
        if missing:
            raise Unsupported(f"configManager.cgi: it has no {', '.join(missing)}")
        await self.tell("configManager.cgi", "setConfig", values)
        after = await self.settings(table)
        kept = [name for name, value in values.items() if after.get(name) != value]
        if kept:
            said = ", ".join(f"{name}={clean_text(after.get(name, ''), 60)}" for name in kept)
            raise Refused(f"configManager.cgi: it said OK and did not do it: {said}")

    async def send_file(self, cgi: str, action: str, body: FileBody, content_type: str) -> None:
        headers = {"Content-Type": content_type}
        url = self.http.base.copy_with(raw_path=f"/cgi-bin/{cgi}?action={action}".encode())
        reply = await self.http.request("POST", url, content=body, headers=headers, login=self.login, once=True)
        expect_ok(reply, f"{cgi} {action}")

    @asynccontextmanager
    async def inside_tls(self, port: int) -> AsyncIterator["DahuaCgi"]:
        """The same camera by https at that port, with our login proved there: nothing secret was sent until then.

        Refused where nobody answers there.
        """
        async with self.http.by_tls(port) as http:
            inside = DahuaCgi(http, self.login)
            try:
                await inside.ask("magicBox.cgi", "getDeviceType")
            except Unreachable as error:
                raise Refused(
                    f"it takes passwords in the address only, so by HTTPS, and its port {port} for that cannot be used "
                    f"({error}): open it by its https address"
                ) from error
            yield inside

    async def _get(self, cgi: str, action: str, parameters: Parameters, *, once: bool = False) -> Reply:
        query = urlencode({"action": action, **parameters}, quote_via=quote, safe="")
        url = self.http.base.copy_with(raw_path=f"/cgi-bin/{cgi}?{query}".encode())
        return await self.http.request("GET", url, login=self.login, once=once)
