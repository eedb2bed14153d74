"""With the real nmap, on loopback."""

import shutil

import nmap
import pytest

from scanners.discovery.nmap import NmapMissing, fingerprint
from tests.probes.loopback_servers import says

needs_nmap = pytest.mark.skipif(shutil.which("nmap") is None, reason="nmap is not installed")


@needs_nmap
async def test_names_the_services() -> None:
    async with says(b"SSH-2.0-dropbear_2019.78\r\n", address="127.0.0.1") as ssh:
        async with says() as gone:
            pass
        found = await fingerprint(["127.0.0.1", "127.61.0.1"], [ssh.port, gone.port], timeout_s=40)
    assert "dropbear" in found["127.0.0.1"][ssh.port].lower()
    assert gone.port not in found["127.0.0.1"]
    assert "127.61.0.1" not in found


@needs_nmap
async def test_knows_ipv6() -> None:
    async with says(b"SSH-2.0-dropbear_2019.78\r\n", address="::1") as ssh:
        found = await fingerprint(["::1"], [ssh.port], timeout_s=40)
    assert list(found["::1"]) == [ssh.port]


async def test_nothing_to_do() -> None:
    assert await fingerprint([], [80]) == {}
    assert await fingerprint(["127.0.0.1"], []) == {}


NOT_ADDRESSES = ["-iL/etc/passwd", "--script=x", "cam1", "10.0.0.0/24", "10.0.0.1-5", "", "127.0.0.1 -oN x"]


@pytest.mark.parametrize("word", NOT_ADDRESSES)
async def test_lets_nothing_but_addresses_reach_the_command_line(word: str) -> None:
    with pytest.raises(ValueError, match="address"):
        await fingerprint([word], [80])


@pytest.mark.parametrize("port", [0, -1, 65536])
async def test_lets_nothing_but_ports_reach_the_command_line(port: int) -> None:
    with pytest.raises(ValueError, match="no port"):
        await fingerprint(["127.0.0.1"], [port])


async def test_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Absent:
        def __init__(self) -> None:
            raise nmap.PortScannerError("not found")

    monkeypatch.setattr(nmap, "PortScanner", Absent)
    with pytest.raises(NmapMissing, match="apt-get install nmap"):
        await fingerprint(["127.0.0.1"], [80])
