"""The client of the collection against a server that says exactly the bytes that are meant."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.ansible.parts import part

client = part("module_utils/client")
TOKEN = "cw_aaaaaaaaaaaa." + "s" * 43


@dataclass
class Server:
    """Says its answers, one per connection, and keeps the requests. An answer of `b""` hangs up."""

    answers: Sequence[bytes]
    port: int = 0
    requests: list[str] = field(default_factory=list)

    def serve(self, listening: socket.socket) -> None:
        for answer in self.answers:
            try:
                connection, _ = listening.accept()
            except OSError:
                return  # nobody came
            with connection:
                self.requests.append(_read(connection))
                connection.sendall(answer)

    def service(self, **more: object) -> object:
        return client.Service(f"http://127.0.0.1:{self.port}", TOKEN, **{"timeout": 5, **more})


def _read(connection: socket.socket) -> str:
    text = b""
    while b"\r\n\r\n" not in text:
        text += connection.recv(65536)
    head, _, body = text.partition(b"\r\n\r\n")
    wanted = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while wanted and len(body) < int(wanted[0].split(b":")[1]):
        body += connection.recv(65536)
    return (head + b"\r\n\r\n" + body).decode()


@contextmanager
def saying(*answers: bytes) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Server(answers, listening.getsockname()[1])
        thread = threading.Thread(target=server.serve, args=(listening,))
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def http(body: object, status: str = "200 OK", *headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close", *headers)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def problem(status: str, detail: str) -> bytes:
    return http({"type": "about:blank", "detail": detail}, status, "Content-Type: application/problem+json")


REFUSALS: Mapping[str, tuple[bytes, str, str]] = {
    "an expired token": (problem("401 Unauthorized", "no"), "NotAllowed", "wrong, revoked or at its end"),
    "a token without the scope": (problem("403 Forbidden", "Ask an administrator."), "NotAllowed", "may not do that"),
    "nothing there": (problem("404 Not Found", "there is no such plan"), "NotThere", "there is no such plan"),
    "something changed meanwhile": (problem("412 Precondition Failed", "look again"), "Changed", "look again"),
    "a mistake of the caller": (problem("422 Unprocessable", "line 3: `ntp`"), "Refused", "line 3: `ntp`"),
    "a fault of the service": (http(b"<html>", "500 Oh"), "ServiceError", "status 500"),
    "a move elsewhere": (http(b"", "302 Found", "Location: http://127.0.0.2/"), "ServiceError", "final address"),
    "a page instead of JSON": (http(b"<html>"), "Unreachable", "sends no JSON"),
    "an answer that is cut off": (http({"a": "b" * 50})[:-20], "Unreachable", "was cut off"),
    "an answer that is no HTTP": (b"SSH-2.0-x\r\n", "Unreachable", "cannot be reached"),
    "a hang-up": (b"", "Unreachable", "cannot be reached"),
}


@pytest.mark.parametrize(("answer", "kind", "words"), REFUSALS.values(), ids=REFUSALS)
def test_an_error_is_named_for_what_to_do(answer: bytes, kind: str, words: str) -> None:
    with saying(answer) as server, pytest.raises(client.ServiceError, match=words) as told:
        server.service().get("plans/7")  # type: ignore[attr-defined] # loaded by path
    assert type(told.value).__name__ == kind
    assert TOKEN not in str(told.value)
    assert len(server.requests) == 1, "nobody else was sent the token"


def test_nobody_listening_says_what_to_look_at() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(client.Unreachable, match="is `camwarden serve` running there"):
        client.Service(f"http://127.0.0.1:{port}", TOKEN).get("cameras")


def test_a_service_that_is_silent_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(client.Unreachable, match="timed out"):
        client.Service(f"http://127.0.0.1:{silent.getsockname()[1]}", TOKEN, timeout=1).get("cameras")


def test_an_answer_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MOST_BYTES", 1000)
    with saying(http({"a": "b" * 2000})) as server, pytest.raises(client.Unreachable, match="more than 1000 bytes"):
        server.service().get("cameras")  # type: ignore[attr-defined]


def test_a_lost_answer_is_asked_for_again_with_the_same_key() -> None:
    with saying(b"", http({"id": "7"}, "202 Accepted")) as server:
        assert server.service().post("plans", {"baseline": "strict"}) == {"id": "7"}  # type: ignore[attr-defined]
    keys = {line for text in server.requests for line in text.split("\r\n") if line.lower().startswith("idempotency")}
    assert (len(server.requests), len(keys)) == (2, 1)


def test_a_list_costs_one_request_per_page() -> None:
    pages = [http({"items": [1, 2], "after": "2~x"}), http({"items": [3], "after": None})]
    with saying(*pages) as server:
        assert list(server.service().pages("cameras", limit=2)) == [1, 2, 3]  # type: ignore[attr-defined]
    assert [text.split(" ")[1] for text in server.requests] == [
        "/api/v1/cameras?limit=2",
        "/api/v1/cameras?limit=2&after=2~x",
    ]


def test_a_plan_is_waited_for_and_not_for_ever() -> None:
    at_work, ended = http({"id": "7", "state": "applying"}), http({"id": "7", "state": "done"}, "200 OK", 'ETag: "a"')
    with saying(at_work, at_work, ended) as server:
        assert server.service().settled("7", 60) == ({"id": "7", "state": "done"}, '"a"')  # type: ignore[attr-defined]
    with saying(at_work) as server, pytest.raises(client.ServiceError, match="still applying after 0 s"):
        server.service().settled("7", 0)  # type: ignore[attr-defined]


ADDRESSES: Mapping[str, tuple[str, str]] = {
    "plain HTTP to another machine": ("http://192.0.2.1:8080", "in the clear"),
    "plain HTTP to a name": ("http://camwarden.example", "in the clear"),
    "a password in it": ("https://anna:secret@127.0.0.1", "nothing more"),
    "no scheme": ("127.0.0.1:8080", "nothing more"),
    "a file": ("file:///etc/passwd", "nothing more"),
    "a port that is none": ("https://127.0.0.1:http", "cannot be read"),
}


@pytest.mark.parametrize(("url", "words"), ADDRESSES.values(), ids=ADDRESSES)
def test_an_address_is_refused_for(url: str, words: str) -> None:
    with pytest.raises(client.ServiceError, match=words) as told:
        client.Service(url, TOKEN)
    assert "secret" not in str(told.value)


def test_a_token_comes_from_a_file_or_is_asked_for(tmp_path: Path) -> None:
    options = {"url": "https://127.0.0.1", "validate_certs": True, "timeout": 5}
    with pytest.raises(client.ServiceError, match="give a token"):
        client.service_of(options)
    with pytest.raises(client.ServiceError, match="cannot be read"):
        client.service_of({**options, "token_file": str(tmp_path / "missing")})
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with saying(http({})) as server:
        url = f"http://127.0.0.1:{server.port}"
        client.service_of({**options, "url": url, "token_file": str(tmp_path / "token")}).get("cameras")
    assert f"Authorization: Bearer {TOKEN}" in server.requests[0]
    with pytest.raises(client.ServiceError, match="no token has"):
        client.service_of({**options, "token": "cw_a\r\nX-Evil: 1"})
