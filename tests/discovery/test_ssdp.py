import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from cameras.errors import Garbled
from scanners.discovery.sightings import Sighting, says_camera
from scanners.discovery.ssdp import PROTOCOL, described, look_closer, read

# As a camera of 2016 answered, with another number.
ANSWER = (
    "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nDATE: Sun, 02 Oct 2016 21:11:25 GMT\r\nEXT:\r\n"
    "LOCATION: http://10.0.0.5:45895/rootdesc1.xml\r\n"
    'OPT: "http://schemas.upnp.org/upnp/1/0/"; ns=01\r\n01-NLS: 8fb2638a-1dd2-11b2-a915-c89968cce2ca\r\n'
    "SERVER: Linux/2.6.35, UPnP/1.0, Portable SDK for UPnP devices/1.6.18\r\nX-User-Agent: redsonic\r\n"
    "ST: upnp:rootdevice\r\nUSN: uuid:Upnp-BasicDevice-1_0-00005E00530A::upnp:rootdevice\r\n\r\n"
)
DESCRIPTION = (
    '<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor>'
    "</specVersion><device><deviceType>urn:schemas-upnp-org:device:Basic:1</deviceType>"
    "<friendlyName>AXIS M1014 - 00005E00530A</friendlyName><manufacturer>AXIS</manufacturer>"
    "<modelDescription>AXIS M1014 Fixed Network Camera</modelDescription><modelName>AXIS M1014</modelName>"
    "<modelNumber>M1014</modelNumber><serialNumber>00005E00530A</serialNumber>"
    "<UDN>uuid:Upnp-BasicDevice-1_0-00005E00530A</UDN><presentationURL>http://10.0.0.5:80/</presentationURL></device>"
    "<URLBase>http://10.0.0.5:45895/</URLBase></root>"
)


def test_reads_what_a_device_announces() -> None:
    found = read(ANSWER.encode(), "10.0.0.5")
    assert found == [
        Sighting(address="10.0.0.5", sources=("ssdp",), xaddrs=("http://10.0.0.5:45895/rootdesc1.xml",)),
    ]
    assert not says_camera(found[0])


ODD = {
    "in other letters": (ANSWER.replace("LOCATION", "Location"), ("http://10.0.0.5:45895/rootdesc1.xml",)),
    "without carriage returns": (ANSWER.replace("\r", ""), ("http://10.0.0.5:45895/rootdesc1.xml",)),
    "without the last line": (ANSWER.removesuffix("\r\n"), ("http://10.0.0.5:45895/rootdesc1.xml",)),
    "no LOCATION": (ANSWER.replace("LOCATION", "X"), ()),
    "two LOCATIONs": (ANSWER + "LOCATION: http://10.0.0.9/\r\n", ("http://10.0.0.5:45895/rootdesc1.xml",)),
    "a LOCATION with a login": (
        ANSWER.replace("10.0.0.5:", "root:hunter2@10.0.0.5:"),
        ("http://10.0.0.5:45895/rootdesc1.xml",),
    ),
    "a LOCATION of great length": (ANSWER.replace("rootdesc1", "x" * 2000), ()),
    "a LOCATION with an escape": (
        ANSWER.replace("rootdesc1", "\x1b[31m\u202e"),
        ("http://10.0.0.5:45895/\ufffd[31m\ufffd.xml",),
    ),
}


@pytest.mark.parametrize(("text", "xaddrs"), ODD.values(), ids=ODD)
def test_reads_odd_answers(text: str, xaddrs: tuple[str, ...]) -> None:
    (sighting,) = read(text.encode(), "10.0.0.5")
    assert (sighting.address, sighting.xaddrs) == ("10.0.0.5", xaddrs)


BAD = {
    "nothing": b"",
    "a question": next(iter(PROTOCOL.questions())),
    "a notice": ANSWER.replace("HTTP/1.1 200 OK", "NOTIFY * HTTP/1.1").encode(),
    "a refusal": ANSWER.replace("200 OK", "404 Not Found").encode(),
    "no header": b"HTTP/1.1 200 OK\r\n\r\n",
    "half a line": ANSWER.encode()[:10],
    "bytes": bytes(range(256)),
    "far too many bytes": ANSWER.encode() + b"X: y\r\n" * 2000,
}


@pytest.mark.parametrize("datagram", BAD.values(), ids=BAD)
def test_refuses(datagram: bytes) -> None:
    with pytest.raises(Garbled):
        read(datagram, "10.0.0.5")


HEARD = Sighting(address="10.0.0.5", sources=("ssdp",), xaddrs=("http://10.0.0.5:45895/rootdesc1.xml",))


def test_a_description_tells_what_it_is() -> None:
    seen = described(HEARD, DESCRIPTION.encode())
    assert (seen.address, seen.port, seen.scheme, seen.path) == ("10.0.0.5", 80, "http", None)
    assert (seen.manufacturer, seen.model, seen.serial) == ("AXIS", "M1014", "00005E00530A")
    assert seen.mac == "00:00:5e:00:53:0a"
    assert seen.xaddrs == ("http://10.0.0.5:45895/rootdesc1.xml", "http://10.0.0.5:80/")
    assert says_camera(seen)


DESCRIPTIONS = {
    "a router": (
        DESCRIPTION.replace("Camera", "Router").replace("AXIS", "Acme"),
        {"manufacturer": "Acme", "mac": None},
    ),
    "another host's page": (DESCRIPTION.replace("10.0.0.5:80", "10.0.0.9:81"), {"address": "10.0.0.5", "port": 81}),
    "no page": (DESCRIPTION.replace("presentationURL", "x"), {"port": None, "xaddrs": HEARD.xaddrs}),
    "no words": ("<root><device/></root>", {"manufacturer": None, "model": None, "serial": None, "scopes": ()}),
    "an escape": (DESCRIPTION.replace("M1014", "\u202e\u009b31m"), {"model": "\ufffd\ufffd31m"}),
}


@pytest.mark.parametrize(("text", "expected"), DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_odd_descriptions(text: str, expected: dict[str, object]) -> None:
    seen = described(HEARD, text.encode())
    assert {name: getattr(seen, name) for name in expected} == expected


BAD_DESCRIPTIONS = {
    "nothing": "",
    "a page": "<!DOCTYPE html><html></html>",
    "an entity that reads a file": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + DESCRIPTION,
    "no device": "<root/>",
    "half of it": DESCRIPTION[:300],
    "far too many bytes": DESCRIPTION.replace("M1014", "x" * 70_000),
}


@pytest.mark.parametrize("text", BAD_DESCRIPTIONS.values(), ids=BAD_DESCRIPTIONS)
def test_refuses_descriptions(text: str) -> None:
    with pytest.raises(Garbled):
        described(HEARD, text.encode())


class Web:
    """Answers every request with the same bytes, and counts them by their first line."""

    def __init__(self, reply: bytes) -> None:
        self.asked: list[bytes] = []
        self._reply = reply

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0])
        writer.write(self._reply)
        writer.close()


@asynccontextmanager
async def web(address: str, reply: bytes, port: int = 0) -> AsyncIterator[tuple[Web, int]]:
    site = Web(reply)
    async with await asyncio.start_server(site.serve, address, port) as server:
        yield site, server.sockets[0].getsockname()[1]


def page(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


async def looked(address: str, location: str) -> Sighting:
    sightings = [Sighting(address=address, sources=("ssdp",), xaddrs=(location,))]
    await look_closer(sightings)
    return sightings[0]


async def test_fetches_the_description_from_who_answered() -> None:
    async with web("127.61.0.1", page(DESCRIPTION.encode())) as (site, port):
        seen = await looked("127.61.0.1", f"http://127.61.0.1:{port}/rootdesc1.xml?a=b")
    assert site.asked == [b"GET /rootdesc1.xml?a=b HTTP/1.1"]
    assert seen.model == "M1014"


ELSEWHERE: dict[str, Callable[[int], str]] = {
    "another host": lambda port: f"http://127.61.0.1:{port}/d",
    "a name": lambda port: f"http://localhost:{port}/d",
    "another host behind a login": lambda port: f"http://127.61.0.2@127.61.0.1:{port}/d",
    "another scheme": lambda port: f"https://127.61.0.1:{port}/d",
    "a file": lambda _: "file:///etc/passwd",
    "a port that is none": lambda _: "http://127.61.0.2:99999/d",
    "a broken bracket": lambda _: "http://[::1/d",
    "nothing": lambda _: "",
}


@pytest.mark.parametrize("location", ELSEWHERE.values(), ids=ELSEWHERE)
async def test_asks_nobody_else(location: Callable[[int], str]) -> None:
    """Nor the host that answered, of whom it was not said."""
    page_of_all = page(DESCRIPTION.encode())
    async with web("127.61.0.1", page_of_all) as (site, port), web("127.61.0.2", page_of_all, port) as (own, _):
        seen = await looked("127.61.0.2", location(port))
    assert (site.asked, own.asked, seen.model) == ([], [], None)


REPLIES = {
    "another status": page(DESCRIPTION.encode(), "404 Not Found"),
    "a way to elsewhere": page(DESCRIPTION.encode(), "302 Found", "Location: http://127.0.0.1:9/\r\n"),
    "far too many bytes": page(DESCRIPTION.encode().ljust(80_000)),
    "a flood without an end": b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 200_000,
    "no HTTP": b"hello",
    "silence": b"",
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
async def test_a_sighting_stands_without_a_description(reply: bytes) -> None:
    async with web("127.61.0.3", reply) as (site, port):
        location = f"http://127.61.0.3:{port}/d"
        seen = await looked("127.61.0.3", location)
    assert set(site.asked) == {b"GET /d HTTP/1.1"}
    assert seen == Sighting(address="127.61.0.3", sources=("ssdp",), xaddrs=(location,))
