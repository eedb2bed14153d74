"""Text and XML from a camera: bounded, cleaned, without entities."""

import errno
import re
import ssl
import threading
import unicodedata
from urllib.parse import urlsplit, urlunsplit

from lxml import etree

from cameras.errors import Garbled

MOST_XML_BYTES = 4 * 1024 * 1024
MOST_XML_DEPTH = 64

# Cc and Cf hold terminal escapes and direction overrides, Cs lone surrogates, Zl and Zp line breaks of their own.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def clean_text(value: str | bytes, most: int = 200) -> str:
    """One printable line of at most `most` characters: invalid UTF-8, control and format characters become U+FFFD."""
    text = value[: most * 4].decode("utf-8", "replace") if isinstance(value, bytes) else value
    text = text[: most * 2].strip()
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            " " if character in "\t\r\n" else "\ufffd" if unicodedata.category(character) in _UNPRINTABLE else character
            for character in text
        )
    return text if len(text) <= most else text[: most - 1] + "…"


_NETWORK_WORDS = {
    errno.ECONNREFUSED: "it refused the connection: nothing listens there",
    errno.ECONNRESET: "it reset the connection",
    errno.ECONNABORTED: "the connection was cut off",
    errno.EPIPE: "it closed the connection",
    errno.ETIMEDOUT: "no answer in time",
    errno.EHOSTUNREACH: "no way to it: is it plugged in, and on this network?",
    errno.ENETUNREACH: "no way to its network from here",
}


def network_words(error: OSError) -> str:
    """What the operator is told instead of "[Errno 111] Connect call failed ('10.0.0.7', 80)"."""
    if not isinstance(error, ssl.SSLError) and (words := _NETWORK_WORDS.get(error.errno or 0)):
        return words
    return clean_text(error.strerror or str(error)) or type(error).__name__


# Xiongmai's stream address is "/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp"; others put it into the query.
_PASSWORD = re.compile(r"(?<![A-Za-z])(pass(?:word|wd)?|pwd|psw)=[^&;_/?#]*", re.IGNORECASE)


def without_secrets(url: str) -> str:
    """The URL without `user:password@` and with passwords in path and query masked: some cameras announce their own."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    path, query = (_PASSWORD.sub(r"\1=***", part) for part in (parts.path, parts.query))
    return urlunsplit(parts._replace(netloc=host, path=path, query=query))


def parse_xml(body: bytes, most: int = MOST_XML_BYTES) -> etree._Element:
    """The document's root. Garbled for anything too large, too deep, not XML, or carrying a document type.

    A document type is refused whole: no ONVIF answer has one, and every entity attack needs one.
    """
    if len(body) > most:
        raise Garbled(f"the answer is larger than {most} bytes")
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Garbled("the answer carries a document type declaration")
    try:
        root = etree.fromstring(body.lstrip(), _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Garbled(f"not XML ({clean_text(str(error))}): {clean_text(body, 80)!r}") from error
    if root.getroottree().docinfo.internalDTD is not None:  # in an encoding that hid it from the look at the bytes
        raise Garbled("the answer carries a document type declaration")
    if body.count(b"<") > MOST_XML_DEPTH:  # with fewer tags there is no such depth
        _refuse_depth(root)
    return root


_of_this_thread = threading.local()


def _parser() -> etree.XMLParser:
    """One for each thread: making one costs as much as reading a short answer."""
    if not hasattr(_of_this_thread, "parser"):
        _of_this_thread.parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
    parser: etree.XMLParser = _of_this_thread.parser
    return parser


def _refuse_depth(root: etree._Element) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MOST_XML_DEPTH:
            raise Garbled(f"the answer is nested deeper than {MOST_XML_DEPTH}")
