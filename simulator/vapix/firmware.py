"""firmwaremanagement.cgi: two banks, an upgrade that is on trial until it is committed, and a way back."""

import json
import re

from simulator.api import Answer, Call, Page, needs
from simulator.device import Device
from simulator.firmware import BadFile, Image, read_image
from simulator.vapix.forms import FormPart, parts
from simulator.vapix.json_api import JSON, Codes, Failure, JsonApi, Params

COMMITS = ("never", "boot", "started", "default")
DEFAULT_MINUTES = 10
_NUMBERS = re.compile(r"\d+")


def _status(device: Device, _params: Params) -> Params:
    plan = device.plan
    said: dict[str, object] = {"activeFirmwareVersion": plan.firmware, "activeFirmwarePart": f"{len(plan.firmware)}-1"}
    if plan.standby_firmware is None:
        return said
    said |= {
        "inactiveFirmwareVersion": plan.standby_firmware,
        "isCommited": plan.committed,  # as the camera spells it
        "lastUpgradeAt": "2026-07-08T12:25:00Z",
    }
    left = device.rollback_due_s
    return said if left is None else {**said, "pendingCommit": "started", "timeToRollback": left}


def _commit(device: Device, _params: Params) -> Params:
    device.commit()
    return {"firmwareVersion": device.plan.firmware}


def _rollback(device: Device, _params: Params) -> Params:
    if device.plan.standby_firmware is None:
        raise Failure(404, "No firmware to roll back to")
    device.roll_back()
    return {}


def _purge(device: Device, _params: Params) -> Params:
    if not device.plan.committed:
        raise Failure(412, "The active firmware is not committed")
    device.purge()
    return {}


def _stop_auto(device: Device, _params: Params) -> Params:
    device.cancel_rollback()
    return {}


def _reboot(device: Device, _params: Params) -> Params:
    device.restart()
    return {}


def _without_file(_device: Device, _params: Params) -> Params:
    raise Failure(400, "Only string objects allowed.")


API = JsonApi(
    "1.4",
    {
        "status": _status,
        "commit": _commit,
        "rollback": _rollback,
        "purge": _purge,
        "stopAuto": _stop_auto,
        "reboot": _reboot,
        "upgrade": _without_file,
    },
    codes=Codes(get=400, version=417, method=405, json=400),
)


def _answer(call: Call) -> Answer:
    form = parts(call.request)
    return API.answer(call) if form is None else _upgrade(call, form)


def _upgrade(call: Call, form: list[FormPart]) -> Answer:
    """The JSON part first and without a file name, then the file."""
    head: dict[str, object] = {"apiVersion": API.version, "method": "upgrade"}
    try:
        said = _request(form)
        if "context" in said:
            head["context"] = said["context"]
        version = _start(call.device, said.get("params", {}), form[1].data)
    except Failure as failure:
        return Answer(json.dumps({**head, "error": {"code": failure.code, "message": failure.message}}), JSON)
    return Answer(json.dumps({**head, "data": {"firmwareVersion": version}}), JSON)


def _request(form: list[FormPart]) -> dict[str, object]:
    if len(form) != 2:  # noqa: PLR2004 - the request and the file
        raise Failure(400, "Two parts are expected")
    if form[0].file_name is not None:
        raise Failure(400, "Only string objects allowed.")
    try:
        said = json.loads(form[0].data)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise Failure(400, "Parse error")
    if said.get("method") != "upgrade":
        raise Failure(405, "Method not supported")
    if not str(said.get("apiVersion", "")).startswith("1."):
        raise Failure(417, "The requested API version is not supported")
    return said


def _start(device: Device, params: object, data: bytes) -> str:
    said = params if isinstance(params, dict) else {}
    wipe, commit = said.get("factoryDefaultMode", "none"), said.get("autoCommit", "default")
    minutes = _minutes(said.get("autoRollback", "default"), commit)
    if wipe not in ("none", "soft", "hard") or commit not in COMMITS:
        raise Failure(400, "Invalid parameter")
    if not device.plan.committed:
        raise Failure(412, "The active firmware is not committed")
    device.purge()  # whatever comes of it, seen
    image = _checked(device, data)
    if _is_older(image.version, device.plan.firmware) and wipe != "hard":
        raise Failure(409, "Downgrade requires factory default")
    usual = "never" if said.get("autoRollback", "default") != "default" else ("started" if wipe == "none" else "boot")
    device.flash(image, commit=usual if commit == "default" else commit, rollback_minutes=minutes)
    return image.version


def _minutes(word: object, commit: object) -> int | None:
    """`default` means ten minutes only where the commit is left to its default too."""
    if word == "never" or (word == "default" and commit != "default"):
        return None
    if word == "default":
        return DEFAULT_MINUTES
    if not (isinstance(word, str) and word.isdigit() and int(word) > 0):
        raise Failure(400, "Invalid parameter: autoRollback")
    return int(word)


def _checked(device: Device, data: bytes) -> Image:
    try:
        image = read_image(data)
    except BadFile:
        raise Failure(415, "Invalid firmware image") from None
    if not image.fits(device.plan):
        raise Failure(421, "Firmware is for another product")
    return image


def _is_older(version: str, than: str) -> bool:
    return [int(n) for n in _NUMBERS.findall(version)] < [int(n) for n in _NUMBERS.findall(than)]


FIRMWARE_MANAGEMENT = Page(needs("admin"), _answer)
