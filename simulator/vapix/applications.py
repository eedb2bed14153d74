"""applications/*.cgi: the programs on the camera. Answers are `OK` or `Error: N`, with status 200."""

from dataclasses import replace
from xml.sax.saxutils import quoteattr

from simulator.api import XML, Answer, Call, Page, needs
from simulator.firmware import BadFile, read_package
from simulator.plan import App
from simulator.vapix.forms import parts
from simulator.vapix.parameters import remembered

BAD_PACKAGE, UNKNOWN, RUNNING, STOPPED, INCOMPATIBLE = 1, 4, 6, 7, 5
MOST_APPS = 8
_SWITCHES = {"AllowUnsigned": "true", "AllowRoot": "false"}


def _list(call: Call) -> Answer:
    rows = "".join(_row(app) for app in call.device.plan.apps)
    return Answer(f'<?xml version="1.0" encoding="utf-8"?>\n<reply result="ok">\n{rows}</reply>\n', XML)


def _row(app: App) -> str:
    fields = {
        "Name": app.name,
        "NiceName": app.nice_name,
        "Vendor": app.vendor,
        "Version": app.version,
        "ApplicationID": "",
        "License": "None",
        "Status": "Running" if app.running else "Stopped",
        "ConfigurationPage": f"local/{app.name}/index.html",
        "VendorHomePage": "",
        "LicenseName": "Proprietary",
    }
    return f" <application {' '.join(f'{name}={quoteattr(value)}' for name, value in fields.items())} />\n"


def _upload(call: Call) -> Answer:
    """A newer package takes the place of one with the same name; it is not started."""
    form = parts(call.request)
    if form is None or len(form) != 1 or form[0].file_name is None:
        return _error(10)
    try:
        app, models = read_package(form[0].data)
    except BadFile:
        return _error(BAD_PACKAGE)
    plan = call.device.plan
    if "*" not in models and plan.model not in models:
        return _error(INCOMPATIBLE)
    if len(plan.apps) >= MOST_APPS and app.name not in {a.name for a in plan.apps}:
        return _error(10)
    was = next((a for a in plan.apps if a.name == app.name), None)
    call.device.install(replace(app, running=was is not None and was.running))
    return Answer("OK")


def _control(call: Call) -> Answer:
    action, name, device = call.form.get("action", ""), call.form.get("package", ""), call.device
    app = next((a for a in device.plan.apps if a.name == name), None)
    if app is None:
        return _error(UNKNOWN)
    if action == "remove":
        device.remove_app(name)
    elif action == "restart":
        device.run_app(name, running=True)
    elif action not in ("start", "stop"):
        return _error(10)
    elif app.running is (action == "start"):
        return _error(RUNNING if app.running else STOPPED)
    else:
        device.run_app(name, running=action == "start")
    return Answer("OK")


def _config(call: Call) -> Answer:
    action, name, plan = call.form.get("action", ""), call.form.get("name", ""), call.device.plan
    if name not in _SWITCHES:
        return Answer('<reply result="error"><error type="10" message="Unknown name" /></reply>', XML)
    key = f"ACAP.{name}"
    if action == "set":
        value = call.form.get("value", "")
        if value not in ("true", "false"):
            return Answer('<reply result="error"><error type="10" message="Invalid value" /></reply>', XML)
        call.device.change(**remembered(plan, key, value))
    value = dict(call.device.plan.parameters).get(key, _usual(plan.firmware, name))
    return Answer(f'<reply result="ok"><param name="{name}" value="{value}" /></reply>', XML)


def _usual(firmware: str, name: str) -> str:
    """Unsigned programs were allowed until OS 11."""
    first = firmware.partition(".")[0]
    return "false" if name == "AllowUnsigned" and first.isdigit() and int(first) > 11 else _SWITCHES[name]  # noqa: PLR2004 - the release


def _error(code: int) -> Answer:
    return Answer(f"Error: {code}")


LIST = Page(needs("admin"), _list)
UPLOAD = Page(needs("admin"), _upload)
CONTROL = Page(needs("admin"), _control)
CONFIG = Page(needs("admin"), _config)
