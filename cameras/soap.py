"""SOAP calls by ONVIF's service descriptions, without an object per camera.

Each WSDL is parsed once per process, by zeep, and shared by all cameras: a call borrows an operation to write the
request and to read the reply, and in between belongs to the one camera it goes to. Faults are recognised by what the
body says, never by the HTTP status: cameras send them under 200, 400, 401 and 500 alike.
"""

import gc
import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources, util
from importlib.resources.abc import Traversable
from typing import Any
from urllib.parse import urlsplit

import httpx
from lxml import etree
from zeep import Settings
from zeep.exceptions import Error as ZeepError
from zeep.transports import Transport
from zeep.wsdl import Document
from zeep.wsse.username import UsernameToken

from cameras import mtom
from cameras.errors import ClockSkewed, DeviceError, Garbled, LockedOut, Refused, Unauthorized, Unsupported
from cameras.http import DeviceHttp, HttpLogin, Reply
from cameras.lockout import lock_hint
from cameras.secret import Credential
from cameras.untrusted import clean_text, parse_xml
from cameras.upload import FileBody

DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
SECURITY = "http://www.onvif.org/ver10/advancedsecurity/wsdl"
APPS = "http://www.onvif.org/ver10/appmgmt/wsdl"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"

_BINDINGS = {
    DEVICE: ("devicemgmt.wsdl", "DeviceBinding"),
    MEDIA: ("media.wsdl", "MediaBinding"),
    MEDIA2: ("media2.wsdl", "Media2Binding"),
    SECURITY: ("advancedsecurity.wsdl", "KeystoreBinding", "TLSServerBinding"),
    APPS: ("appmgmt.wsdl", "AppManagementBinding"),
}
# What every camera is asked; the others are read when the first camera has them.
USUAL = (DEVICE, MEDIA, MEDIA2)
# A service description is an address only to zeep: `_Shelf` answers it from files, whatever the host.
_SHELF = "http://wsdl.invalid/"

# zeep logs every request body at debug level; a body can carry a password digest.
logging.getLogger("zeep").setLevel(logging.WARNING)


class _Shelf(Transport):
    """Serves the descriptions from our package and from onvif-zeep-async's, and nothing from the network."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # zeep's own

    def load(self, url: str) -> bytes:
        name = urlsplit(url).path.lstrip("/")
        for folder in _description_folders():
            file = folder / name
            if "/" not in name and file.is_file():
                return file.read_bytes()
        raise FileNotFoundError(f"no service description named {name!r}")


@cache
def _description_folders() -> tuple[Traversable, ...]:
    # `import onvif` configures the root logger and takes the proxy settings out of the environment, so the package is
    # located without being executed.
    spec = util.find_spec("onvif")
    reader = getattr(spec.loader, "get_resource_reader", None) if spec else None
    if reader is None:
        raise FileNotFoundError(
            "the package onvif-zeep-async, which carries ONVIF's service descriptions, is not installed"
        )
    return (resources.files("cameras") / "wsdl", reader("onvif").files() / "wsdl")


_parsing = threading.Lock()


def descriptions(namespaces: Iterable[str] = USUAL) -> dict[str, Sequence[Any]]:
    """Bindings by service namespace.

    The first call for a service parses for up to 0.1 s: make it in a thread, before the first camera.
    """
    with _parsing:
        return {namespace: _bindings(namespace) for namespace in namespaces}


@cache
def _bindings(namespace: str) -> Sequence[Any]:
    """All services are parts of one document, so that the schema they share is parsed once."""
    file, *names = _BINDINGS[namespace]
    document = _document()
    document.load(_SHELF + file)  # type: ignore[no-untyped-call] # zeep's own
    # What was parsed lives as long as the process: a collector that looks through it again and again finds nothing.
    gc.freeze()
    found = {etree.QName(key).localname: binding for key, binding in document.bindings.items()}
    return [found[name] for name in names]


@cache
def _document() -> Document:
    # Not strict: a third of the real malformed replies on file differ only in a missing or misplaced element.
    settings = Settings(strict=False, xml_huge_tree=False)
    return Document(_SHELF + "camera.wsdl", _Shelf(), settings=settings)  # type: ignore[arg-type] # zeep's own typo


def _operation(namespace: str, operation: str) -> Any:  # noqa: ANN401 - zeep's values have no types
    return next(found for binding in _bindings(namespace) if (found := binding.all().get(operation)))


def write_request(
    namespace: str, operation: str, arguments: Mapping[str, Any], token: UsernameToken | None = None
) -> tuple[bytes, str]:
    """The envelope and its Content-Type."""
    content_type = f'application/soap+xml; charset=utf-8; action="{namespace}/{operation}"'
    if token is None and not arguments:
        return _plain_question(namespace, operation), content_type
    envelope = _envelope(namespace, operation, arguments) if arguments else deepcopy(_bare(namespace, operation))
    if token is not None:
        envelope, _ = token.apply(envelope, {})  # type: ignore[no-untyped-call] # zeep's own
    return _as_bytes(envelope), content_type


def _envelope(namespace: str, operation: str, arguments: Mapping[str, Any]) -> etree._Element:
    envelope: etree._Element = _operation(namespace, operation).create(**arguments).content
    return envelope


# Most questions have no arguments: they are the same for every camera, and written once.
@cache
def _bare(namespace: str, operation: str) -> etree._Element:
    return _envelope(namespace, operation, {})


@cache
def _plain_question(namespace: str, operation: str) -> bytes:
    return _as_bytes(_bare(namespace, operation))


def _as_bytes(envelope: etree._Element) -> bytes:
    return etree.tostring(envelope, xml_declaration=True, encoding="utf-8")


def username_token(credential: Credential, clock_offset: timedelta) -> UsernameToken:
    """WS-Security password digest, dated by the camera's clock: it refuses what its own clock calls old.

    The time is written with a `Z`: Hikvision firmware refuses "+00:00".
    """
    created = datetime.now(UTC) + clock_offset
    return UsernameToken(  # type: ignore[no-untyped-call] # zeep's own
        credential.username, credential.password.reveal(), use_digest=True, created=created, zulu_timestamp=True
    )


def read_reply(namespace: str, operation: str, reply: Reply) -> Any:  # noqa: ANN401 - zeep's values have no types
    """What zeep makes of the reply's body. Raises the fault in it as one of `cameras.errors`."""
    body = _body_of(reply, operation)
    answer = body[0] if len(body) else None
    if answer is not None and etree.QName(answer).localname == "Fault":
        raise fault_error(answer, operation)
    if reply.status == httpx.codes.UNAUTHORIZED:
        raise Unauthorized(f"{operation}: it wants a login")
    if answer is None or etree.QName(answer).localname != f"{operation}Response":
        said = "nothing" if answer is None else clean_text(etree.QName(answer).localname, 60)
        raise Garbled(f"{operation}: answered with {said}")
    envelope = etree.Element(etree.QName(SOAP12, "Envelope"))
    etree.SubElement(envelope, etree.QName(SOAP12, "Body")).append(answer)
    try:
        return _operation(namespace, operation).process_reply(envelope)
    except (ZeepError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise Garbled(f"{operation}: {clean_text(str(error)) or type(error).__name__}") from error


def _body_of(reply: Reply, operation: str) -> etree._Element:
    if hint := lock_hint(reply.body) if reply.status >= httpx.codes.BAD_REQUEST else None:
        raise LockedOut(f"{operation}: {hint}")
    if not reply.body.strip():
        if reply.status == httpx.codes.UNAUTHORIZED:
            raise Unauthorized(f"{operation}: it wants a login")
        # Some gSOAP-based servers answer 200 with nothing to an operation they lack.
        raise Unsupported(f"{operation}: answered with nothing (HTTP {reply.status})")
    try:
        root = parse_xml(reply.body)
    except Garbled:
        raise _status_error(reply.status, operation) or Garbled(
            f"{operation}: not a SOAP answer (HTTP {reply.status}): {clean_text(reply.body, 80)!r}"
        ) from None
    # The envelope may be SOAP 1.1 although we asked in 1.2.
    body = next((child for child in root if etree.QName(child).localname == "Body"), None)
    if etree.QName(root).localname != "Envelope" or body is None:
        raise _status_error(reply.status, operation) or Garbled(f"{operation}: XML, but not a SOAP envelope")
    return body


def is_envelope(reply: Reply) -> bool:
    """Whether the body is a SOAP envelope, whatever it says."""
    try:
        root = parse_xml(reply.body)
    except Garbled:
        return False
    return bool(etree.QName(root).localname == "Envelope")


def claims_xml(reply: Reply) -> bool:
    """Whether the answer was meant to be XML of some kind: by its type or its first bytes, web pages left out."""
    start = reply.body[:512].lstrip().lower()
    if start.startswith(b"<!doctype html") or b"<html" in start:
        return False
    return start.startswith(b"<?xml") or "xml" in reply.headers.get("content-type", "").lower()


def _status_error(status: int, operation: str) -> DeviceError | None:
    """For answers without a usable body the status is all there is."""
    if status == httpx.codes.UNAUTHORIZED:
        return Unauthorized(f"{operation}: it wants a login")
    if status == httpx.codes.FORBIDDEN:
        return Refused(f"{operation}: HTTP 403")
    if status in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED, httpx.codes.NOT_IMPLEMENTED):
        return Unsupported(f"{operation}: HTTP {status}")
    return None


# (text that must occur in codes and reason, lower case) → error, first match wins.
_FAULTS: tuple[tuple[tuple[str, ...], type[DeviceError]], ...] = (
    (("time check failed", "timestamp", "clock", "messageexpired", "message expired"), ClockSkewed),
    (
        ("notauthorized", "not authorized", "failedauthentication", "failed authentication", "unauthorized"),
        Unauthorized,
    ),
    (("invalidsecurity", "authority failure", "sender not authorized", "authentication"), Unauthorized),
    (("actionnotsupported", "not implemented", "unknownaction", "not recognized", "not supported"), Unsupported),
)


def fault_error(fault: etree._Element, operation: str) -> DeviceError:
    """A SOAP 1.1 or 1.2 fault as the error that the operator acts on."""
    words = [clean_text(str(text), 120) for text in fault.itertext() if str(text).strip()]
    said = " / ".join(words)[:300] or "a fault without words"
    if hint := lock_hint(said.encode()):
        return LockedOut(f"{operation}: {hint}")
    lowered = said.lower()
    kind = next((error for texts, error in _FAULTS if any(text in lowered for text in texts)), Refused)
    return kind(f"{operation}: {said}")


async def post(
    http: DeviceHttp,
    url: httpx.URL,
    namespace: str,
    operation: str,
    arguments: Mapping[str, Any],
    *,
    login: HttpLogin | None = None,
    token: UsernameToken | None = None,
    file: FileBody | bytes | None = None,
    once: bool = False,
) -> Reply:
    """Ask one operation; the raw reply. `once` is `DeviceHttp.request`'s, `file` travels beside the message.

    A login and a token are never sent together: cameras check both and refuse.
    """
    if login is not None and token is not None:
        raise ValueError("Digest or WS-Security, not both")
    envelope, content_type = write_request(namespace, operation, arguments, token)
    body: bytes | FileBody = envelope
    if file is not None:
        body, content_type = mtom.packaged(envelope, f"{namespace}/{operation}", file)
    return await http.request("POST", url, content=body, headers={"Content-Type": content_type}, login=login, once=once)
