"""applications/*.cgi: the programs on the camera. Answers are `OK` or `Error: N`, with status 200."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from xml.sax.saxutils import quoteattr

from simulator.api import XML, Answer, Call, Page, needs
from simulator.faults import ALLOW_UNSIGNED
from simulator.firmware import BadFile, is_signed, read_package
from simulator.plan import App, CameraPlan
from simulator.vapix.forms import parts
from simulator.vapix.parameters import release, remembered

BAD_PACKAGE, UNVERIFIED, UNKNOWN, RUNNING, STOPPED, INCOMPATIBLE = 1, 2, 4, 6, 7, 5
MOST_APPS = 8
Release = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A value of config.cgi: whether a release has it, and whether it is on as delivered."""

    is_there: Callable[[Release], bool]
    usual: Callable[[Release], bool]


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "AllowUnsigned": Rule(lambda now: now >= (11, 2), lambda now: now < (12,)),
        "AllowRoot": Rule(lambda now: (11, 5) <= now < (12,), lambda now: now < (11, 8)),
    }
)
"""By the documentation of the Application API."""
ERRORS_BY_STATUS = (12, 2)


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
        signed = is_signed(form[0].data)
    except BadFile:
        return _error(BAD_PACKAGE)
    plan = call.device.plan
    if not signed and takes_unsigned(plan) is False:
        return _error(UNVERIFIED)
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


def takes_unsigned(plan: CameraPlan) -> bool | None:
    """`None` where it has no such rule, and takes everything."""
    now = release(plan.firmware)
    return value_of_rule(plan, "AllowUnsigned") if RULES["AllowUnsigned"].is_there(now) else None


def value_of_rule(plan: CameraPlan, name: str) -> bool:
    said = dict(plan.parameters).get(_key(name))
    return RULES[name].usual(release(plan.firmware)) if said is None else said == "true"


def _key(name: str) -> str:
    return {"AllowUnsigned": ALLOW_UNSIGNED}.get(name, f"ACAP.{name}")


def _config(call: Call) -> Answer:
    action, name, plan = call.form.get("action", ""), call.form.get("name", ""), call.device.plan
    now = release(plan.firmware)
    if not RULES["AllowUnsigned"].is_there(now):
        return Answer("Not Found", status=404)
    if action not in ("get", "set") or name not in RULES or not RULES[name].is_there(now):
        return _malformed(now)
    if action == "set":
        value = call.form.get("value", "")
        if value not in ("true", "false"):
            return _malformed(now)
        call.device.change(**remembered(plan, _key(name), value))
    value = "true" if value_of_rule(call.device.plan, name) else "false"
    return Answer(f'<reply result="ok">\n <param name="{name}" value="{value}" />\n</reply>\n', XML)


def _malformed(now: Release) -> Answer:
    """The documents say it of values; of names and actions it is taken to be the same."""
    if now >= ERRORS_BY_STATUS:
        return Answer("Bad Request", status=400)
    return Answer('<reply result="error">\n <error type="1" message="Malformed request" />\n</reply>\n', XML)


def _error(code: int) -> Answer:
    return Answer(f"Error: {code}")


LIST = Page(needs("admin"), _list)
UPLOAD = Page(needs("admin"), _upload)
CONTROL = Page(needs("admin"), _control)
CONFIG = Page(needs("admin"), _config)
