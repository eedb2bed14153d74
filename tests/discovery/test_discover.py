import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from cameras.facts import OpenPorts
from scanners.discovery import discover, ws_discovery
from scanners.discovery.interfaces import InterfaceError
from scanners.targets import parse_targets
from tests.discovery.test_probe_matches import answer, match
from tests.discovery.test_ws_discovery import always, camera, port
from tests.probes.snmp_agents import agent, is_v3, report_to

__all__ = ["port"]  # a fixture


@contextmanager
def listening(address: str) -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((address, 0))
        listener.listen()
        yield int(listener.getsockname()[1])


async def test_joins_what_sweep_and_discovery_saw(port: int) -> None:
    with ExitStack() as stack:
        web = stack.enter_context(listening("127.51.0.1"))
        other = stack.enter_context(listening("127.51.0.2"))
        forwarded = stack.enter_context(listening("127.51.0.3"))
        targets = parse_targets(
            ["127.51.0.1-2", "127.51.0.4", f"http://127.51.0.3:{forwarded}/onvif", f"127.51.0.3:{web}"]
        )
        said: list[tuple[int, int]] = []
        announced = always(epr="urn:uuid:1", xaddrs=f"http://127.51.0.1:{web}/d")
        passer_by = always(epr="urn:uuid:9", xaddrs="http://127.51.0.9/d")
        async with (
            camera("127.51.0.1", port, announced, multicast=False),
            camera("127.51.0.9", port, passer_by, multicast=True),
        ):
            seen = await discover(
                targets,
                multicast=True,
                interfaces=["lo"],
                ports=[web, other],
                on_progress=lambda done, total: said.append((done, total)),
                connect_timeout_s=1,
                probe_wait_s=0.4,
                probe_port=port,
                protocols=[replace(ws_discovery.PROTOCOL, port=port)],
            )
    assert [(one.address, one.port, one.path, one.sources) for one in seen.sightings] == [
        ("127.51.0.1", web, "/d", ("sweep", "ws-discovery")),
        ("127.51.0.2", None, None, ("sweep",)),
        ("127.51.0.3", forwarded, "/onvif", ("sweep",)),
        ("127.51.0.9", 80, "/d", ("ws-discovery",)),
    ]
    assert [(target.address, target.port) for target in seen.unanswered] == [("127.51.0.4", None), ("127.51.0.3", web)]
    assert seen.ports["127.51.0.3"] == OpenPorts(open=(forwarded,), closed=(web,), silent=())
    assert seen.ports["127.51.0.4"].open == ()
    assert said[-1] == (4, 4)


async def test_a_camera_with_no_open_port_is_seen_where_it_announces_itself(port: int) -> None:
    async with camera("127.51.1.1", port, lambda _: [answer(match(xaddrs=""))], multicast=False):
        seen = await discover(
            parse_targets(["127.51.1.1"]),
            multicast=False,
            interfaces=None,
            ports=[1],
            probe_wait_s=1,
            probe_port=port,
        )
    assert [(one.address, one.port, one.sources) for one in seen.sightings] == [("127.51.1.1", None, ("ws-discovery",))]
    assert seen.unanswered == ()


async def test_snmp_is_asked_where_the_whole_address_is(port: int) -> None:
    """Where a port was asked for, what answers SNMP may be a router before the cameras."""
    engine = bytes.fromhex("80000170 03 00408c123456")

    def tell(asked: bytes) -> list[bytes]:
        return [report_to(asked, engine)]

    with ExitStack() as stack:
        web = stack.enter_context(listening("127.51.2.1"))
        forwarded = stack.enter_context(listening("127.51.2.2"))
        async with agent(tell, "127.51.2.1", port), agent(tell, "127.51.2.2", port) as (_, before_it):
            seen = await discover(
                parse_targets(["127.51.2.1", "127.51.2.3", f"127.51.2.2:{forwarded}"]),
                multicast=False,
                interfaces=None,
                ports=[web],
                probe_wait_s=0.4,
                snmp_port=port,
                probe_port=port,
            )
    assert [(one.address, one.port, one.sources, one.mac) for one in seen.sightings] == [
        ("127.51.2.1", None, ("snmp", "sweep"), "00:40:8c:12:34:56"),
        ("127.51.2.2", forwarded, ("sweep",), None),
    ]
    assert not any(is_v3(asked) for asked in before_it.heard)
    assert [target.address for target in seen.unanswered] == ["127.51.2.3"]


async def test_nobody_at_all(port: int) -> None:
    seen = await discover([], multicast=False, interfaces=None, ports=[80], probe_port=port)
    assert (seen.sightings, seen.unanswered, dict(seen.ports)) == ((), (), {})


async def test_names_an_interface_that_does_not_exist() -> None:
    with pytest.raises(InterfaceError, match="absent0"):
        await discover([], multicast=True, interfaces=["absent0"], ports=[80])
