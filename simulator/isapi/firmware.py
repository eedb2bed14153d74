"""`updateFirmware` and `upgradeStatus`: an image is written while the camera goes on, and runs after a restart.

Firmware before V5.6 restarts by itself when all is written; later firmware waits to be told to. A restart in the middle
of writing is the end of the camera.
"""

from contextlib import suppress

from simulator.api import Answer, Call, Page, needs
from simulator.device import Device, HungUp
from simulator.firmware import BadFile, read_image
from simulator.isapi.documents import BAD_DEVICE_TYPE, BAD_METHOD, BAD_XML, BUSY, OK, answer, element, said, word
from simulator.isapi.users import release

_WAITS_FROM = (5, 6)


def _update(call: Call) -> Answer:
    device = call.device
    if call.request.method != "PUT":
        return said(call, BAD_METHOD)
    if (call.request.header(b"Content-Type") or "").lower() != "application/octet-stream":
        return said(call, BAD_XML)
    if device.staged is not None:
        return said(call, BUSY)
    try:
        image = read_image(call.request.body)
    except BadFile:
        return said(call, BAD_DEVICE_TYPE)
    if not image.fits(device.plan):
        return said(call, BAD_DEVICE_TYPE)
    if "upgrade-drops" in device.plan.quirks:
        device.flash(image)  # it restarts at once, and its answer gets lost
    elif release(device.plan) >= _WAITS_FROM:
        device.stage(image)
    else:
        device.stage(image, then=lambda: _by_itself(device))
    return said(call, OK)


def _by_itself(device: Device) -> None:
    with suppress(HungUp):
        finish(device)


def finish(device: Device) -> bool:
    """Restarts into the image that was taken in; False where there is none."""
    image, percent = device.staged, device.staged_percent
    if image is None:
        return False
    device.staged = None
    if percent < 100:  # noqa: PLR2004 - all of it
        device.bricked = True
    else:
        device.flash(image)
    device.restart()  # a camera that lies restarts, too
    return True


def _status(call: Call) -> Answer:
    device = call.device
    under_way = device.staged is not None and device.staged_percent < 100  # noqa: PLR2004 - all of it
    return answer(call, element("upgradeStatus", upgrading=word(under_way), percent=str(device.staged_percent)))


UPDATE_FIRMWARE = Page(needs("admin"), _update)
UPGRADE_STATUS = Page(needs("admin"), _status)
