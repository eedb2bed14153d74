"""dhop.cgi and installManager.cgi: programs on the camera. No call is known that lists them."""

from dataclasses import replace

from simulator.api import Answer, Call, Page, needs
from simulator.dahua_cgi.words import OK, asked, bad
from simulator.firmware import BadFile, read_package
from simulator.vapix.forms import parts

MOST_APPS = 8


def _dhop(call: Call) -> Answer:
    said = dict(asked(call))
    if said.get("action") == "uploadApp":
        return _upload(call)
    name = said.get("appName", "")
    if said.get("action") != "uninstall" or not _has(call, name):
        return bad(call)
    call.device.remove_app(name)
    return OK


def _upload(call: Call) -> Answer:
    """A newer package takes the place of one with the same name, and goes on running where that did."""
    form = parts(call.request) if call.request.method == "POST" else None
    if form is None or len(form) != 1 or form[0].file_name is None:
        return bad(call)
    try:
        app, models = read_package(form[0].data)
    except BadFile:
        return bad(call)
    plan = call.device.plan
    if ("*" not in models and plan.model not in models) or (len(plan.apps) >= MOST_APPS and not _has(call, app.name)):
        return bad(call)
    call.device.install(replace(app, running=any(a.running for a in plan.apps if a.name == app.name)))
    return OK


def _install_manager(call: Call) -> Answer:
    said = dict(asked(call))
    name = said.get("appname", "")
    if said.get("action") not in ("start", "stop") or not _has(call, name):
        return bad(call)
    call.device.run_app(name, running=said["action"] == "start")
    return OK


def _has(call: Call, name: str) -> bool:
    return any(app.name == name for app in call.device.plan.apps)


DHOP = Page(needs("admin"), _dhop)
INSTALL_MANAGER = Page(needs("admin"), _install_manager)
