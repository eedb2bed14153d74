"""The question by UDP: to agents that say given bytes, and to a real one, net-snmp's."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

import pytest

from cameras.errors import Unreachable
from cameras.facts import SnmpAnswer
from scanners.probes.snmp import MOST_DATAGRAMS, ask_public
from tests.probes.snmp_agents import Agent, Say, agent, answer_to, is_v1, running_snmpd

NOBODY = SnmpAnswer(None, None, None)

SAYS: dict[str, tuple[Say, SnmpAnswer]] = {
    "both versions": (lambda asked: [answer_to(asked)], SnmpAnswer("v2c", "A camera", None)),
    "version 1 only": (lambda asked: [answer_to(asked)] * is_v1(asked), SnmpAnswer("v1", "A camera", None)),
    "version 2c only": (lambda asked: [answer_to(asked)] * (not is_v1(asked)), SnmpAnswer("v2c", "A camera", None)),
    "nothing": (lambda _: [], NOBODY),
    "our own words": (lambda asked: [asked], NOBODY),
    "half an answer": (lambda asked: [answer_to(asked)[:-3]], NOBODY),
    "an answer to another question": (
        lambda asked: [answer_to(asked, number=b"\2\1\7")],
        NOBODY,
    ),
    "60 KiB": (lambda asked: [answer_to(asked) + bytes(60000)], NOBODY),
    "nonsense, then an answer": (lambda asked: [b"\x30\x80", answer_to(asked)], SnmpAnswer("v2c", "A camera", None)),
    "an answer, then another": (
        lambda asked: [answer_to(asked), answer_to(asked, b"Another")],
        SnmpAnswer("v2c", "A camera", None),
    ),
    "nonsense without end": (lambda _: [b"\x30\x80"] * MOST_DATAGRAMS, NOBODY),
}


@pytest.mark.parametrize(("say", "expected"), SAYS.values(), ids=SAYS)
async def test_what_an_agent_says(say: Say, expected: SnmpAnswer) -> None:
    async with agent(say) as (port, _):
        assert await ask_public("127.0.0.1", port, wait_s=0.2) == expected


async def test_asks_twice_at_most_and_waits_no_longer_than_it_may() -> None:
    async with agent(lambda _: []) as (port, silent):
        before = time.monotonic()
        assert await ask_public("127.0.0.1", port, wait_s=0.3) == NOBODY
        assert time.monotonic() - before < 1
        assert [is_v1(asked) for asked in silent.heard] == [True, False] * 2


async def test_a_lost_datagram_is_made_up_for() -> None:
    heard: list[bytes] = []

    def second_time(asked: bytes) -> list[bytes]:
        heard.append(asked)
        return [answer_to(asked)] if len(heard) > 2 else []

    async with agent(second_time) as (port, _):
        assert (await ask_public("127.0.0.1", port, wait_s=0.4)).version == "v2c"


async def test_where_nothing_listens_nobody_waits() -> None:
    async with agent(lambda _: []) as (port, _):
        pass
    before = time.monotonic()
    assert await ask_public("127.0.0.1", port, wait_s=5) == NOBODY
    assert time.monotonic() - before < 2


async def test_asks_by_ipv6_too() -> None:
    async with agent(lambda asked: [answer_to(asked)], "::1") as (port, _):
        assert (await ask_public("::1", port)).version == "v2c"


async def test_what_cannot_be_sent_is_no_answer_at_all() -> None:
    """The system lets nobody ask everybody by accident, and says so before a datagram leaves."""
    with pytest.raises(Unreachable):
        await ask_public("127.255.255.255", 161)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2"], ids=["another port", "another address"])
async def test_somebody_else_is_not_heard(address: str) -> None:
    """The right number, told by one who was not asked."""
    loop = asyncio.get_running_loop()
    asked: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    class Told(Agent):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            asked.put_nowait((data, addr))

    async def meddle() -> None:
        while True:
            data, addr = await asked.get()
            meddler.sendto(answer_to(data), addr)

    silent, _ = await loop.create_datagram_endpoint(lambda: Told(lambda _: []), local_addr=("127.0.0.1", 0))
    meddler, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=(address, 0))
    meddling = asyncio.create_task(meddle())
    assert await ask_public("127.0.0.1", silent.get_extra_info("sockname")[1], wait_s=0.2) == NOBODY
    meddling.cancel()
    with suppress(asyncio.CancelledError):
        await meddling
    silent.close()
    meddler.close()
    await asyncio.sleep(0)


# --- a real agent ----------------------------------------------------------------------------------------------------

CONFIGURATIONS = {
    "both versions": ("rocommunity public 127.0.0.1", SnmpAnswer("v2c", "A simulated lobby", "1.3.6.1.4.1.368.4")),
    "another community": ("rocommunity not-that-one 127.0.0.1", NOBODY),
    "version 1 only": (
        """com2sec local 127.0.0.1 public
        group readers v1 local
        view all included .1
        access readers "" any noauth exact all none none""",
        SnmpAnswer("v1", "A simulated lobby", "1.3.6.1.4.1.368.4"),
    ),
    "nothing but the contact is shown": (
        "view little included .1.3.6.1.2.1.1.4\nrocommunity public 127.0.0.1 -V little",
        SnmpAnswer("v2c", None, None),
    ),
}


@pytest.mark.parametrize(("words", "expected"), CONFIGURATIONS.values(), ids=CONFIGURATIONS)
async def test_a_real_agent(words: str, expected: SnmpAnswer, snmpd: str, tmp_path: Path) -> None:
    async with running_snmpd(snmpd, tmp_path, words) as port:
        assert await ask_public("127.0.0.1", port) == expected
