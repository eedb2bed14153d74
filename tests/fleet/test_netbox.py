"""Devices of a NetBox: read page by page, over TLS that is verified, and whatever else answers at its address."""

import asyncio
import gzip
import logging
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cameras.secret import Secret
from fleet.errors import FleetError, Invalid, SourceUnavailable
from fleet.expected import netbox
from fleet.expected.lines import MOST_LINES, Listed, Wanted
from fleet.expected.netbox import NetBox, checked
from fleet.tls import our_own
from tests.fleet.netbox import NEW_TOKEN, TOKEN, Answer, Box, Headers, device, said, serving

ANY = NetBox("", Secret(TOKEN))


async def read(answer: Callable[[str, Headers], Answer | None], asked: NetBox = ANY, path: str = "") -> Listed:
    async with serving(answer) as port:
        return await netbox.read(replace(asked, url=checked(f"http://127.0.0.1:{port}{path}")))


async def test_devices_become_cameras() -> None:
    one = device(1, "10.0.0.1/24", name="gate west")
    found = await read(Box([one]))
    (line,) = found.lines
    assert (line.number, found.unit, found.mistakes) == (1, "device", ())
    assert line.wanted == Wanted("10.0.0.1", None, "gate west", "Harbour", "B8A44F000001", None, "Axis", "P3265-V")


SERIAL = "B8A44F000007"
SHAPES: dict[str, tuple[dict[str, Any], tuple[str, str | None, str | None]]] = {
    "no name and no serial number": ({"name": None, "serial": ""}, ("10.0.0.7", None, None)),
    "only an address of IPv6": (
        {"primary_ip4": None, "primary_ip6": {"address": "2001:db8::7/64"}},
        ("2001:db8::7", "cam-7", SERIAL),
    ),
    "only the primary address of both": (
        {"primary_ip4": None, "primary_ip": {"address": "10.9.9.9/32"}},
        ("10.9.9.9", "cam-7", SERIAL),
    ),
    "a family that is a number, as it was before": (
        {"primary_ip4": {"address": "10.0.0.7/24", "family": 4}},
        ("10.0.0.7", "cam-7", SERIAL),
    ),
    "nested things that are none": ({"site": None, "device_type": 7, "serial": 12}, ("10.0.0.7", "cam-7", None)),
}


@pytest.mark.parametrize(("more", "wanted"), SHAPES.values(), ids=SHAPES)
async def test_shapes_of_devices(more: dict[str, Any], wanted: tuple[str, str | None, str | None]) -> None:
    (line,) = (await read(Box([device(7, "10.0.0.7/24", **more)]))).lines
    assert (line.wanted.address, line.wanted.name, line.wanted.serial) == wanted


async def test_a_device_that_cannot_be_read_is_named_by_its_id() -> None:
    odd: list[Any] = [device(5, ""), device(6, "10.0.0.6/24"), "x", device(8, "10.0.0.6/25", serial="Z")]
    found = await read(Box(odd))
    assert [line.number for line in found.lines] == [6]
    assert [(one.line, one.reason) for one in found.mistakes] == [
        (5, "there is no address"),
        (3, "it is no device"),
        (8, "the address 10.0.0.6 stands in device 6 already"),
    ]


@pytest.mark.parametrize("most", [1000, 7], ids=["pages as we ask for them", "pages as small as it likes"])
@pytest.mark.parametrize("path", ["", "/inventory"], ids=["at the root", "below a path"])
async def test_all_pages_are_read(most: int, path: str) -> None:
    box = Box([device(number) for number in range(1, 601)], most=most)
    found = await read(box, path=path)
    assert len({line.wanted.address for line in found.lines}) == 600
    assert len(box.heard) == -(-600 // min(most, netbox.AT_ONCE))


async def test_what_is_asked_for() -> None:
    box = Box([device(1)])
    await read(box, replace(ANY, tags=["cctv"], roles=["camera"], sites=["harbour"]))
    ((target, headers),) = box.heard
    assert target == (
        "/api/dcim/devices/?has_primary_ip=true&exclude=config_context&limit=250&tag=cctv&role=camera&site=harbour"
    )
    assert headers["authorization"] == f"Token {TOKEN}"
    await read(box, replace(ANY, token=Secret(NEW_TOKEN)))
    assert box.heard[-1][1]["authorization"] == f"Bearer {NEW_TOKEN}"


async def test_behind_a_proxy_that_it_knows_nothing_of_the_token_stays_where_it_was_sent() -> None:
    """It then calls itself by http, and by another port."""
    box = Box([device(number) for number in range(1, 20)], most=7, calls_itself="http://127.0.0.1:9")
    assert len((await read(box)).lines) == 19


def paged(told: object) -> Callable[[str, Headers], Answer]:
    return lambda _target, _headers: said(200, {"count": 2, "next": told, "previous": None, "results": [device(1)]})


BAD: dict[str, tuple[Callable[[str, Headers], Answer | None], str]] = {
    "it hangs up": (lambda *_: None, "cannot be asked"),
    "a next page at another host": (paged("https://evil.example/api/dcim/devices/?offset=1"), "not its own"),
    "a next page that is another question": (paged("/api/users/tokens/?offset=1"), "not its own"),
    "a next page that is a number": (paged(7), "not as a NetBox"),
    "a next page without end": (paged("/api/dcim/devices/?" + "x" * 9000), "not as a NetBox"),
    "a next page at no address": (paged("http://[/api/dcim/devices/?a"), "not as a NetBox"),
    "the same page for ever": (paged("/api/dcim/devices/?offset=1"), "pages without end"),
    "a page of a website": (lambda *_: said(200, b"<html>"), "not as a NetBox"),
    "another shape": (lambda *_: said(200, {"results": {}}), "not as a NetBox"),
    "a list": (lambda *_: said(200, []), "not as a NetBox"),
    "as deep as a well": (lambda *_: said(200, b"[" * 100_000), "not as a NetBox"),
    "a packed answer that nobody asked for": (
        lambda *_: (200, {"Content-Encoding": "gzip"}, gzip.compress(b"{}")),
        "not as a NetBox",
    ),
    "an answer without end": (lambda *_: said(200, b" " * (netbox.MOST_BYTES + 1)), "more than 16 MiB"),
    "a fault of its own": (lambda *_: said(500, {"error": "x", "exception": "OperationalError"}), "with 500"),
    "it is redirected": (lambda *_: (302, {"Location": "https://evil.example/"}, b""), "where we do not go"),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "why"), BAD.values(), ids=BAD)
async def test_what_is_no_netbox(
    answer: Callable[[str, Headers], Answer | None], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SourceUnavailable, match=why) as raised:
        await read(answer)
    assert TOKEN not in str(raised.value) + caplog.text


WRONG: dict[str, tuple[NetBox, str]] = {
    "a token that it does not know": (replace(ANY, token=Secret("0" * 40)), "403 .Invalid token.: it refuses"),
    "a tag that it does not know": (replace(ANY, tags=["cameras"]), "400 .*cameras is not one of.*Write their slugs"),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "why"), WRONG.values(), ids=WRONG)
async def test_what_it_refuses_is_said_in_its_words(asked: NetBox, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        await read(Box([device(1)]), asked)


async def test_its_words_do_not_tell_the_token() -> None:
    with pytest.raises(Invalid) as raised:
        await read(lambda _target, headers: said(403, {"detail": f"no {headers['authorization']}"}))
    assert TOKEN not in str(raised.value)


async def test_more_devices_than_are_taken_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netbox, "MOST_LINES", 10)
    with pytest.raises(Invalid, match="name a tag, a role or a site"):
        await read(Box([device(number) for number in range(1, 20)], most=7))
    assert MOST_LINES == 20_000


async def test_it_does_not_take_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netbox, "WITHIN_S", 0.5)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        left.set()

    left = asyncio.Event()
    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SourceUnavailable, match="did not give its devices"):
            await netbox.read(replace(ANY, url=checked(f"http://127.0.0.1:{port}")))
        async with asyncio.timeout(10):
            await left.wait()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("known", [True, False], ids=["its authority is named", "nobody we know"])
async def test_tls_is_verified(tmp_path: Path, *, known: bool) -> None:
    own = await asyncio.to_thread(our_own, tmp_path, ["127.0.0.1"], datetime.now(UTC))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    box = Box([device(1)])
    async with serving(box, context) as port:
        asked = replace(ANY, url=checked(f"https://127.0.0.1:{port}"), ca_file=own.certificate if known else None)
        if known:
            assert len((await netbox.read(asked)).lines) == 1
        else:
            with pytest.raises(SourceUnavailable, match="certificate"):
                await netbox.read(asked)
    assert len(box.heard) == (1 if known else 0)


async def test_an_authority_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="authority"):
        await netbox.read(replace(ANY, url="https://netbox.example/", ca_file=tmp_path / "none.pem"))


ADDRESSES = {
    "https://netbox.example": "https://netbox.example/",
    "https://netbox.example/inventory/": "https://netbox.example/inventory/",
    "http://localhost:8000": "http://localhost:8000/",
}


@pytest.mark.parametrize(("url", "asked"), ADDRESSES.items(), ids=list(ADDRESSES))
def test_addresses_that_are_asked(url: str, asked: str) -> None:
    assert checked(url) == asked


@pytest.mark.parametrize(
    "url",
    ["http://netbox.example", "netbox.example", "https://", "https://a:hunter2@b", "https://a/?x=1", "https://a:x", "ftp://a"],
)  # fmt: skip
def test_addresses_that_are_not(url: str) -> None:
    with pytest.raises(FleetError) as raised:
        checked(url)
    assert "hunter2" not in str(raised.value)
