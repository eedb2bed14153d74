"""opensdk.cgi: programs on the camera. One is sent first, and installed by a second word that names the session."""

from dataclasses import replace

from simulator.api import Answer, Call
from simulator.firmware import BadFile, read_package
from simulator.plan import App
from simulator.sunapi.dialect import Command, NotGood, Shown, asked, need, show, word
from simulator.vapix.forms import parts

MOST_APPS = 8


def _view(call: Call) -> Shown:
    apps = call.device.plan.apps
    rows: list[dict[str, object]] = [
        {
            "AppID": app.name,
            "Status": "Running" if app.running else "Stopped",
            "InstalledDate": "2026-07-08T12:25:00Z",
            "Version": app.version,
            "Permission": "Network",
            "AutoStart": app.running,
            "Priority": "Medium",
            "Channel": "0",
            "IsDefault": False,
        }
        for app in apps
    ]
    lines = [
        f"{row['AppID']}.{name}={word(value) if isinstance(value, bool) else value}"
        for row in rows
        for name, value in row.items()
        if name != "AppID"
    ]
    return Shown([f"InstalledApps={len(apps)}", *lines], {"InstalledApps": len(apps), "Apps": rows})


def _install(call: Call) -> Shown | None:
    """With a file: it is looked at and kept for the session. Without one: what that session sent is installed."""
    app_id = need(asked(call), "AppID")
    if call.request.method == "POST":
        return _receive(call, app_id)
    session = need(asked(call), "ApplicationSessionId")
    device = call.device
    app = device.sent_apps.pop(session, None)
    if app is None or app.name != app_id:
        raise NotGood(602, "Invalid Parameter(s)")
    was = _installed(call, app_id)
    if was is not None and asked(call).get("KeepOldSettings") is None:
        was = None
    device.install(replace(app, running=was is not None and was.running))
    return None


def _receive(call: Call, app_id: str) -> Shown:
    form = parts(call.request)
    if form is None or len(form) != 1 or form[0].name != "UploadedFile":
        raise NotGood(607, "Upload Failed")
    if form[0].file_name != f"{app_id}.cap":
        raise NotGood(602, "Invalid Parameter(s)")
    device = call.device
    try:
        app, models = read_package(form[0].data)
    except BadFile:
        raise NotGood(604, "Invalid File") from None
    known = _installed(call, app_id)
    full = known is None and len(device.plan.apps) >= MOST_APPS
    if app.name != app_id or ("*" not in models and device.plan.model not in models) or full:
        raise NotGood(604, "Invalid File")
    session = f"{app_id}-{device.plan.address}"
    device.sent_apps[session] = app
    kind = "New" if known is None else "Upgrade"
    return show(ApplicationSessionId=session, Permission=["SD", "Network"], InstallType=kind)


def _installed(call: Call, app_id: str) -> App | None:
    return next((app for app in call.device.plan.apps if app.name == app_id), None)


def _known(call: Call) -> App:
    app = _installed(call, need(asked(call), "AppID"))
    if app is None:
        raise NotGood(602, "Invalid Parameter(s)")
    return app


def _control(call: Call) -> Answer | None:
    app, mode = _known(call), need(asked(call), "Mode")
    if mode not in ("Start", "Stop"):
        raise NotGood(602, "Invalid Parameter(s)")
    call.device.run_app(app.name, running=mode == "Start")
    return None


def _remove(call: Call) -> None:
    call.device.remove_app(_known(call).name)


OPEN_PLATFORM = {
    ("apps", "view"): Command("admin", _view),
    ("apps", "install"): Command("admin", _install),
    ("apps", "control"): Command("admin", _control),
    ("apps", "remove"): Command("admin", _remove),
}
