"""Applications on a camera, by ONVIF's Application Management service (19.12 and later).

Its schema leaves the elements inside a message without a namespace, and cameras differ in that: answers are read by
local name.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from lxml import etree

from cameras import soap
from cameras.errors import Garbled, Unsupported
from cameras.facts import App, Apps
from cameras.http import refusal
from cameras.onvif_session import OnvifSession
from cameras.untrusted import clean_text
from cameras.upload import file_body

MOST_APPS = 64
# What is being installed or taken away does not run, and an app that failed to install is none.
RUNNING = {"Active": True, "Inactive": False, "Installing": False}


def decode_apps(reply: Any) -> Apps:  # noqa: ANN401 - zeep's values have no types
    """GetAppsInfo."""
    found = []
    for entry in (reply or ())[:MOST_APPS]:
        if not etree.iselement(entry):
            continue
        app, state = _text(entry, "AppID"), _text(entry, "State")
        if app and state not in ("Removed", "Uninstalling", "InstallationFailed"):
            found.append(App(app, _text(entry, "Name"), _text(entry, "Version"), RUNNING.get(state or "")))
    return Apps(tuple(found))


async def apps(session: OnvifSession, service: httpx.URL) -> Apps:
    return decode_apps(await session.ask(soap.APPS, "GetAppsInfo", url=service))


async def upload_app(session: OnvifSession, service: httpx.URL, package: Path) -> None:
    """To the path that the service names, at its own host and port. The app is installed, not started."""
    said = await session.ask(soap.APPS, "GetServiceCapabilities", url=service)
    capabilities = next((entry for entry in _elements(said)), None)
    path = capabilities.get("UploadPath", "") if capabilities is not None else ""
    if not path.startswith("/") or not path.isascii():
        raise Unsupported("its application service takes no uploads")
    kinds = (capabilities.get("FormatsSupported", "") if capabilities is not None else "").split()
    kind = clean_text(kinds[0], 100) if kinds else "application/octet-stream"
    body = await file_body(package)
    url = service.copy_with(raw_path=path.encode())
    headers = {"Content-Type": kind}
    reply = await session.http.request("POST", url, content=body, headers=headers, login=session.http_login, once=True)
    if error := refusal(reply, "upload of the app"):
        raise error


async def change(session: OnvifSession, service: httpx.URL, operation: str, app: str) -> None:
    """Activate, Deactivate or Uninstall. The camera may take its time over the last one after its yes."""
    await session.ask(soap.APPS, operation, {"AppID": app}, service, once=True)


def _elements(said: Any) -> Iterator[etree._Element]:  # noqa: ANN401
    yield from (entry for entry in (said if isinstance(said, list) else [said]) if etree.iselement(entry))


def _text(element: etree._Element, name: str) -> str | None:
    found = next((child for child in element.iter("{*}" + name)), None)
    text = found.text if found is not None else None
    if text is not None and len(text) > MOST_TEXT:
        raise Garbled(f"{name}: longer than {MOST_TEXT} characters")
    return clean_text(text) or None if text else None


MOST_TEXT = 4096
