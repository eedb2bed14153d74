"""Files to and from a camera by plain HTTP, at the addresses that ONVIF operations handed out."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType

from simulator.device import SETTINGS, Device
from simulator.firmware import BadFile, read_image
from simulator.onvif_writes import RESTORE_PATH, UPGRADE_PATH
from simulator.plan import ExtraPort, SyslogServer

BACKUP = b"CWBK1\n"


def backup(device: Device) -> bytes:
    """The settings, without accounts and passwords."""
    everything = asdict(device.plan)
    wanted = {name: everything[name] for name in SETTINGS if name != "clock_offset_s"}
    return (
        BACKUP + json.dumps({"model": device.plan.model, **wanted, "anonymous": sorted(device.plan.anonymous)}).encode()
    )


def upload(device: Device, path: str, data: bytes) -> int:
    """The HTTP status of this upload. Raises HungUp where the answer gets lost."""
    for prefix, take in _TAKERS.items():
        if path.startswith(prefix):
            if not device.upload_token or path != prefix + device.upload_token:
                return 404
            if time.monotonic() < device.upload_opens_at:
                return 503
            return take(device, data)
    return 404


def _upgrade(device: Device, data: bytes) -> int:
    try:
        image = read_image(data)
    except BadFile:
        return 415
    if not image.fits(device.plan):
        return 415
    device.upload_token = ""
    device.flash(image)
    return 200


def take_in(device: Device, data: bytes) -> bool:
    """Has the settings of a backup, or False where it is none of this model."""
    try:
        said = json.loads(data.removeprefix(BACKUP)) if data.startswith(BACKUP) else None
    except ValueError:
        said = None
    if not isinstance(said, dict) or said.pop("model", None) != device.plan.model or not said.keys() <= set(SETTINGS):
        return False
    device.change(**{name: _READERS[name](value) if name in _READERS else value for name, value in said.items()})
    return True


def restore(device: Device, data: bytes) -> int:
    """The HTTP status of putting these settings back; the camera restarts."""
    if not take_in(device, data):
        return 415
    device.upload_token = ""
    device.restart()
    return 200


_READERS: Mapping[str, Callable[..., object]] = MappingProxyType(
    {
        "anonymous": frozenset,
        "ntp_servers": tuple,
        "extra_ports": lambda rows: tuple(ExtraPort(**row) for row in rows),
        "syslog": lambda rows: tuple(SyslogServer(**row) for row in rows),
        "parameters": lambda rows: tuple((name, value) for name, value in rows),
    }
)
_TAKERS: Mapping[str, Callable[[Device, bytes], int]] = MappingProxyType(
    {UPGRADE_PATH: _upgrade, RESTORE_PATH: restore}
)
