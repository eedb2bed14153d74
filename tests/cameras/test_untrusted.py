"""Text and XML that mean harm."""

import errno
import ssl

import pytest

from cameras.errors import Garbled
from cameras.untrusted import clean_text, network_words, parse_xml, without_secrets

TEXTS = {
    "plain text stays": ("AXIS P3265-V", "AXIS P3265-V"),
    "letters of other scripts stay": ("Kamera Süd 入口", "Kamera Süd 入口"),
    "terminal escapes lose their escape": ("\x1b[2J\x1b[31mred", "\ufffd[2J\ufffd[31mred"),
    "line breaks become spaces": ("a\r\nb", "a  b"),
    "a direction override is replaced": ("abc\u202etxt", "abc\ufffdtxt"),
    "invalid UTF-8 is replaced": (b"\xff\xfeab", "\ufffd\ufffdab"),
    "a lone surrogate is replaced": ("a\ud800b", "a\ufffdb"),
    "long text is cut": ("x" * 300, "x" * 199 + "…"),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_cleans_text(text: str | bytes, expected: str) -> None:
    assert clean_text(text) == expected


FAILURES = {
    "nothing listens": (
        ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 80)"),
        "it refused the connection: nothing listens there",
    ),
    "no route": (OSError(errno.EHOSTUNREACH, "No route"), "no way to it: is it plugged in, and on this network?"),
    "TLS, whose error numbers are its own": (ssl.SSLError(1, "bad certificate"), "bad certificate"),
    "what nobody foresaw": (OSError(errno.ENOBUFS, "No buffer space available"), "No buffer space available"),
    "nothing said": (ConnectionError(), "ConnectionError"),
}


@pytest.mark.parametrize(("error", "expected"), FAILURES.values(), ids=FAILURES)
def test_says_what_the_network_did_in_words(error: OSError, expected: str) -> None:
    assert network_words(error) == expected


URLS = {
    "nothing to hide": ("rtsp://10.0.0.5/live", "rtsp://10.0.0.5/live"),
    "name and password": ("rtsp://admin:pw@10.0.0.5:554/live", "rtsp://10.0.0.5:554/live"),
    "a password in the path": (
        "rtsp://10.0.0.5/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp",
        "rtsp://10.0.0.5/user=admin_password=***_channel=1_stream=0.sdp",
    ),
    "a password in the query": ("http://10.0.0.5/snap?usr=a&pwd=b&ch=1", "http://10.0.0.5/snap?usr=a&pwd=***&ch=1"),
    "a word that only ends like one": ("http://10.0.0.5/?bypass=1", "http://10.0.0.5/?bypass=1"),
    "a password with an at sign": ("rtsp://admin:p@w@10.0.0.5/live", "rtsp://10.0.0.5/live"),
}


@pytest.mark.parametrize(("url", "expected"), URLS.values(), ids=URLS)
def test_takes_user_info_out_of_addresses(url: str, expected: str) -> None:
    assert without_secrets(url) == expected


BOMB = b'<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><l>&b;</l>'
HOSTILE = {
    "nothing": b"",
    "a web page": b"<html><br></html>",
    "cut off": b"<a><b>",
    "an entity bomb": BOMB,
    "an entity bomb in UTF-16": '<?xml version="1.0" encoding="utf-16"?>'.encode("utf-16")
    + BOMB.decode().encode("utf-16-le"),
    "an external entity": b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    "too deep": b"<a>" * 70 + b"</a>" * 70,
    "too large": b"<a>" + b" " * (5 * 1024 * 1024) + b"</a>",
    "another encoding than it says": b'<?xml version="1.0" encoding="utf-8"?><a>\xff\xfe</a>',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_refuses_xml_that_is_none_or_means_harm(body: bytes) -> None:
    with pytest.raises(Garbled):
        parse_xml(body)


def test_reads_plain_xml() -> None:
    assert parse_xml(b"\r\n <a><b>1</b></a>").findtext("b") == "1"
