"""upgrader.cgi: an image is taken first and looked into afterwards, so that a yes is no promise.

A file that is no image is refused at once. One of another model is taken with OK, and only `getState` says that it
failed.
"""

from simulator.api import Answer, Call, Page, needs
from simulator.dahua_cgi.words import OK, asked, bad, lines
from simulator.firmware import BadFile, read_image
from simulator.vapix.forms import parts

IDLE, FAILED = "Idle", "Failed"


def _upload(call: Call) -> Answer:
    form = parts(call.request) if call.request.method == "POST" else None
    if form is None or len(form) != 1 or form[0].file_name is None:
        return bad(call)
    device = call.device
    device.upgrade_state = IDLE
    try:
        image = read_image(form[0].data)
    except BadFile:
        return bad(call)
    if image.fits(device.plan):
        device.flash(image)
    else:
        device.upgrade_state = FAILED
    return OK


def _state(call: Call) -> Answer:
    state = call.device.upgrade_state
    return lines([("state.State", state), ("state.Progress", 0)])


def _upgrader(call: Call) -> Answer:
    action = dict(asked(call)).get("action", "")
    return {"uploadFirmware": _upload, "getState": _state}.get(action, bad)(call)


UPGRADER = Page(needs("admin"), _upgrader)
