"""Notices: kept before they are sent, sent at least once, signed, and never a recovery of what nobody was told."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any, get_args

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select

from cameras.secret import Secret
from fleet.errors import SettingsError
from fleet.notices.mail import Mail
from fleet.notices.outbox import MOST_TRIES, Outbox, tell, tell_recovery
from fleet.notices.outgoing import Channel, Kind, NotSent, Outgoing
from fleet.notices.webhook import Webhook, body_of, signature
from fleet.store import Store
from fleet.store.pictures_tables import Notice
from tests.cameras.saying import http, saying
from tests.fleet.samples import NOON, Clock

WORDS = {"subject": "Camwarden: obstruction was found: gate", "text": "obstruction at gate\n", "fault": "obstruction"}
NOTICE = Outgoing("0198-id", "outage", NOON, WORDS)


def test_every_kind_of_notice_is_told_of() -> None:
    section = (Path(__file__).parents[2] / "docs" / "picture-health.md").read_text().partition("### Webhook")[2]
    assert [kind for kind in get_args(Kind) if f"`{kind}`" not in section] == []


@dataclass
class Letterbox:
    """A way out that a test looks into; `refuses` so many times, or dies in the middle."""

    name: str = "box"
    refuses: int = 0
    dies: bool = False
    got: list[Outgoing] = field(default_factory=list)

    async def send(self, notice: Outgoing) -> None:
        if self.refuses:
            self.refuses -= 1
            raise NotSent("not now")
        self.got.append(notice)
        if self.dies:
            raise KeyboardInterrupt


async def outage(store: Store, about: str = "i1", after: timedelta = timedelta(0)) -> None:
    async with store.write() as connection:
        await tell(connection, about, "outage", WORDS, channels=["box"], now=store.now(), after=after)


async def recovery(store: Store, about: str = "i1") -> None:
    async with store.write() as connection:
        await tell_recovery(connection, about, WORDS, store.now())


async def states(store: Store) -> list[tuple[str, str]]:
    async with store.read() as connection:
        rows = (await connection.execute(select(Notice.kind, Notice.state).order_by(Notice.id))).all()
    return [(kind, state) for kind, state in rows]


async def send_for(store: Store, clock: Clock, box: Channel, rounds: int) -> None:
    outbox = Outbox(store, [box])
    for _ in range(rounds):
        await outbox.send_due()
        clock.forward(hours=2)


async def test_sends_what_is_due_once(store: Store, clock: Clock) -> None:
    box = Letterbox()
    await outage(store)
    await outage(store, "later", after=timedelta(days=9))
    await send_for(store, clock, box, 3)
    assert [notice.kind for notice in box.got] == ["outage"]
    assert await states(store) == [("outage", "sent"), ("outage", "pending")]


async def test_tries_again_and_gives_up(store: Store, clock: Clock) -> None:
    await outage(store, "a")
    await send_for(store, clock, Letterbox(refuses=3), 6)
    assert await states(store) == [("outage", "sent")]
    await outage(store, "b")
    await send_for(store, clock, Letterbox(refuses=99), MOST_TRIES + 3)
    assert (await states(store))[1] == ("outage", "failed")


STORIES: dict[str, tuple[int, int, list[tuple[str, str]]]] = {
    "after it was sent": (0, 1, [("outage", "sent"), ("recovery", "sent")]),
    "before anybody tried to send it": (0, 0, [("outage", "withdrawn")]),
    "while it cannot be sent": (2, 1, [("outage", "sent"), ("recovery", "sent")]),
    "of what could never be sent": (99, 1, [("outage", "failed"), ("recovery", "withdrawn")]),
}


@pytest.mark.parametrize(("refuses", "rounds", "expected"), STORIES.values(), ids=STORIES)
async def test_a_recovery(
    store: Store, clock: Clock, refuses: int, rounds: int, expected: list[tuple[str, str]]
) -> None:
    box = Letterbox(refuses=refuses)
    await outage(store)
    await send_for(store, clock, box, rounds)
    await recovery(store)
    await send_for(store, clock, box, MOST_TRIES + 3)
    assert await states(store) == expected
    assert [notice.kind for notice in box.got] == [kind for kind, state in expected if state == "sent"]


async def test_a_process_that_dies_while_it_sends_loses_nothing(store: Store) -> None:
    first = Letterbox(dies=True)
    await outage(store)
    with pytest.raises(KeyboardInterrupt):
        await Outbox(store, [first]).send_due()
    assert await states(store) == [("outage", "sending")]
    second = Letterbox()
    async with Outbox(store, [second]):
        while not second.got:  # noqa: ASYNC110 - a condition
            await asyncio.sleep(0.01)
    assert second.got[0].id == first.got[0].id


async def test_a_way_that_is_gone_is_said(store: Store, clock: Clock) -> None:
    await outage(store)
    await send_for(store, clock, Letterbox(name="other"), 1)
    assert await states(store) == [("outage", "failed")]


# --- webhook ----------------------------------------------------------------------------------------------------------


def webhook(port: int) -> Webhook:
    return Webhook(f"http://127.0.0.1:{port}/hook?a=1", Secret("between us"), lambda: 1_790_000_000.5)


async def test_a_webhook_is_signed_over_time_and_body() -> None:
    async with saying(http(b"ok")) as server:
        await webhook(server.port).send(NOTICE)
    head, _, body = server.heard[0].partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert head.startswith(b"POST /hook?a=1 HTTP/1.1")
    assert headers["Camwarden-Id"] == NOTICE.id
    assert headers["Camwarden-Timestamp"] == "1790000000"
    assert headers["Camwarden-Signature"] == signature(Secret("between us"), "1790000000", body)
    assert headers["Camwarden-Signature"] != signature(Secret("between us"), "1790000001", body)
    assert json.loads(body)["format"] == "camwarden/notice/1"
    assert json.loads(body)["fault"] == "obstruction"
    assert b"between us" not in server.heard[0]
    assert body == body_of(NOTICE)


ANSWERS: dict[str, bytes | None] = {
    "an error": http(b"", "500 Internal Server Error"),
    "a redirect": http(b"", "302 Found", "Location: http://127.0.0.1:1/"),
    "a refusal": http(b"", "403 Forbidden"),
    "a hang-up": b"",
    "rubbish": b"\x00\x01\x02\r\n\r\n",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_a_webhook_was_not_sent_after(answer: bytes | None) -> None:
    async with saying(answer) as server:
        with pytest.raises(NotSent):
            await webhook(server.port).send(NOTICE)
    assert len(server.heard) == 1


ALLOWED = {
    "another machine by https": "https://hooks.example/x",
    "this machine": "http://127.0.0.1:9/x",
    "this machine by IPv6": "http://[::1]:9/x",
}


@pytest.mark.parametrize("url", ALLOWED.values(), ids=ALLOWED)
def test_a_webhook_may_lead_to(url: str) -> None:
    assert Webhook(url, Secret("x"), lambda: 0).name == "webhook"


FORBIDDEN = {
    "another machine by plain http": "http://10.0.0.1/x",
    "a name by plain http": "http://hooks.example/",
    "a name that only begins like this machine": "http://localhost.example/",
    "a place that wants a password": "https://user:hunter2@hooks.example/",
    "a file": "file:///etc/passwd",
    "no host": "https:///x",
    "a port that is none": "https://hooks.example:99999/",
}


@pytest.mark.parametrize("url", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_webhook_may_not_lead_to(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Webhook(url, Secret("x"), lambda: 0)
    assert "hunter2" not in str(caught.value)


# --- mail -------------------------------------------------------------------------------------------------------------


class Postman:
    """What aiosmtpd hands over; refuses receivers and messages as told."""

    def __init__(self, refuses: Sequence[str] = (), answer: str = "250 OK") -> None:
        self.refuses, self.answer = refuses, answer
        self.mails: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's form
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refuses:
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        self.mails.append(envelope)
        return self.answer


@asynccontextmanager
async def post_office(postman: Postman, **options: Any) -> AsyncIterator[int]:  # noqa: ANN401 - aiosmtpd's
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(postman, hostname="localhost", loop=loop, **options), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def mail(port: int, *receivers: str) -> Mail:
    return Mail(
        "127.0.0.1", port, sender="camwarden@example.org", receivers=receivers or ("ana@example.org",), tls="none"
    )


async def test_a_mail_arrives_whole() -> None:
    postman = Postman()
    async with post_office(postman) as port:
        await mail(port, "ana@example.org", "ben@example.org").send(NOTICE)
    (envelope,) = postman.mails
    told = message_from_bytes(envelope.original_content or b"")
    assert envelope.rcpt_tos == ["ana@example.org", "ben@example.org"]
    assert told["Subject"] == WORDS["subject"]
    assert told["Message-ID"] == "<0198-id@camwarden.invalid>"
    assert "obstruction at gate" in str(told.get_payload())


async def test_what_a_camera_says_adds_no_header() -> None:
    hostile: Mapping[str, str] = {**WORDS, "subject": "gate\r\nBcc: everybody@example.org\r\n\r\nbuy"}
    postman = Postman()
    async with post_office(postman) as port:
        await mail(port).send(Outgoing("x", "outage", NOON, hostile))
    assert message_from_bytes(postman.mails[0].original_content or b"")["Bcc"] is None


REFUSALS: dict[str, Postman] = {
    "the message is refused": Postman(answer="554 this looks like spam from s3cret"),
    "every receiver is refused": Postman(refuses=["ana@example.org"]),
}


@pytest.mark.parametrize("postman", REFUSALS.values(), ids=REFUSALS)
async def test_a_mail_was_not_sent_when(postman: Postman) -> None:
    async with post_office(postman) as port:
        with pytest.raises(NotSent) as caught:
            await mail(port).send(NOTICE)
    assert "s3cret" not in str(caught.value)


async def test_a_mail_was_not_sent_when_nobody_listens() -> None:
    with pytest.raises(NotSent):
        await mail(1).send(NOTICE)


async def test_a_server_without_tls_gets_nothing_where_tls_is_wanted() -> None:
    postman = Postman()
    async with post_office(postman) as port:
        wary = Mail("127.0.0.1", port, sender="a@example.org", receivers=("b@example.org",), tls="starttls")
        with pytest.raises(NotSent):
            await wary.send(NOTICE)
    assert postman.mails == []
