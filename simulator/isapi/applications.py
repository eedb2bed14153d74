"""`/ISAPI/Custom/OpenPlatform/App`: the programs on the camera. How one is put on and taken off is not known to us."""

import re

from simulator.api import Answer, Call, Page, needs
from simulator.isapi.documents import BAD_METHOD, INVALID, NOT_SUPPORTED, OK, Element, answer, element, said, word
from simulator.plan import App

PATH = "/ISAPI/Custom/OpenPlatform/App"
_CONTROL = re.compile(rf"{PATH}/(\d+)/(start|stop)")


def _row(number: int, app: App) -> Element:
    return element("App", id=str(number), AppID=str(number), packageName=app.nice_name, runStatus=word(app.running))


def _answer(call: Call) -> Answer:
    device, asked = call.device, _CONTROL.fullmatch(call.request.path)
    apps = device.plan.apps
    if call.request.path == PATH:
        if call.request.method != "GET":
            return said(call, NOT_SUPPORTED)
        return answer(call, element("AppList", *(_row(n, app) for n, app in enumerate(apps, 1))))
    if asked is None:
        return said(call, NOT_SUPPORTED)
    if call.request.method != "PUT":
        return said(call, BAD_METHOD)
    if not 1 <= int(asked[1]) <= len(apps):
        return said(call, INVALID)
    device.run_app(apps[int(asked[1]) - 1].name, running=asked[2] == "start")
    return said(call, OK)


APPLICATIONS = Page(needs("admin"), _answer)
