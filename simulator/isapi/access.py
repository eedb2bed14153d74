"""`/ISAPI/Security/adminAccesses`: by which protocols and ports the camera may be spoken to."""

import re
from collections.abc import Iterable

from simulator.api import Answer, Call, Page
from simulator.isapi.documents import (
    BAD_METHOD,
    BAD_PARAMETERS,
    INVALID,
    OK,
    Element,
    Fields,
    Given,
    Told,
    answer,
    complete,
    element,
    given,
    reading,
    said,
    word,
)
from simulator.isapi.settings import by_method
from simulator.plan import CameraPlan

PATH = "/ISAPI/Security/adminAccesses"
_ONE = re.compile(rf"{PATH}/(\d+)")


def _rows(plan: CameraPlan) -> dict[str, Element]:
    """By id. The SDK's port has no switch."""
    http, https, rtsp = plan.usual_ports

    def row(number: str, protocol: str, port: int, *, on: bool) -> Element:
        return element("AdminAccessProtocol", id=number, enabled=word(on), protocol=protocol, portNo=str(port))

    return {
        "1": row("1", "HTTP", plan.http_port or http, on=plan.http_port is not None),
        "2": element("AdminAccessProtocol", id="2", protocol="DEV_MANAGE", portNo="8000"),
        "3": row("3", "RTSP", plan.rtsp_port or rtsp, on=plan.rtsp_on),
        "4": row("4", "HTTPS", plan.https_port or https, on=plan.https_port is not None),
    }


def _change(plan: CameraPlan, entries: Iterable[Given]) -> Fields:
    """Ports cannot be moved here. Raises Told, and where nothing would be left to come in by."""
    rows, on = _rows(plan), {"HTTP": plan.http_port is not None, "HTTPS": plan.https_port is not None}
    rtsp = plan.rtsp_on
    for entry in entries:
        like = rows.get(entry.need("id"))
        if like is None:
            raise Told(BAD_PARAMETERS)
        complete(entry, like)
        if isinstance(like.inside, str) or entry.need("portNo") != like.inside[-1].inside:
            raise Told(BAD_PARAMETERS)
        protocol = entry.need("protocol")
        if protocol in on:
            on[protocol] = entry.flag("enabled")
        elif protocol == "RTSP":
            rtsp = entry.flag("enabled")
    if not any(on.values()):
        raise Told(INVALID)
    http, https, _ = plan.usual_ports
    return {
        "http_port": (plan.http_port or http) if on["HTTP"] else None,
        "https_port": (plan.https_port or https) if on["HTTPS"] else None,
        "rtsp_on": rtsp,
    }


def _answer(call: Call) -> Answer:
    device, one = call.device, _ONE.fullmatch(call.request.path)
    rows = _rows(device.plan)
    if one and one[1] not in rows:
        return said(call, INVALID)
    like = rows[one[1]] if one else element("AdminAccessProtocolList", *rows.values())
    if call.request.method == "GET":
        return answer(call, like)
    if call.request.method != "PUT":
        return said(call, BAD_METHOD)
    found = given(device.plan, call.request.body, like.name)
    entries = [found] if one else found.all("AdminAccessProtocol")
    if not one and {entry.said("id") for entry in entries} != set(rows):
        raise Told(BAD_PARAMETERS)
    device.change(**_change(device.plan, entries))
    return said(call, OK)


ACCESSES = Page(by_method, reading(_answer))
