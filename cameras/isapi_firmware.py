"""An image sent once in ISAPI, and seen into the restart that it needs."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cameras.errors import DeviceError, Garbled, Refused, Unauthorized, Unreachable, Unsupported
from cameras.isapi import Isapi
from cameras.isapi_documents import Node, flag, number
from cameras.upload import file_body

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 5.0
# In shares of the connection's patience with uploads: how long a camera may write an image, and how long it may be
# silent before it is taken to have begun its restart.
WRITING_SHARE, AWAY_SHARE = 5, 1 / 6
ALL = 100


@dataclass(frozen=True, slots=True)
class Upgrade:
    """upgradeStatus."""

    under_way: bool | None
    percent: int | None


def decode_upgrade(said: Node) -> Upgrade:
    return Upgrade(flag(said, "upgrading"), number(said, "percent"))


async def send_image(isapi: Isapi, image: Path) -> None:
    """The camera writes it while going on; then it restarts by itself, or is told to. Never is the image sent again."""
    body, up_s = await file_body(image), await _up_s(isapi)
    await isapi.send_file("System/updateFirmware", body)
    if await _waits_for_restart(isapi, up_s):
        with suppress(Unreachable):  # it may hang up on that
            await isapi.tell("PUT", "System/reboot")


async def _up_s(isapi: Isapi) -> int | None:
    """`None` where it does not say for how long it has been up."""
    with suppress(Unsupported, Refused, Garbled, Unauthorized):
        return number(await isapi.get("System/status", "DeviceStatus"), "deviceUpTime")
    return None


async def _waits_for_restart(isapi: Isapi, up_s: int | None) -> bool:
    """Whether all is written and it waits; False where it restarts, or did. Unreachable where it does not say."""
    patience_s, pause_s = isapi.http.upload_patience_s, FIRST_PAUSE_S
    end = time.monotonic() + patience_s * WRITING_SHARE
    away_since: float | None = None
    while True:
        now = time.monotonic()
        try:
            if (waits := await _has_written(isapi, up_s)) is not None:
                return waits
            away_since = None
        except Unreachable:
            away_since = away_since or now
            if now - away_since >= patience_s * AWAY_SHARE:
                return False
        except DeviceError as error:
            raise Unreachable(f"it took the image, and does not say how far it is: {error}") from error
        if now >= end:
            raise Unreachable("it took the image, and has not written it in all that time")
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


async def _has_written(isapi: Isapi, up_s: int | None) -> bool | None:
    """True: all of it, and it waits for its restart. False: it has restarted meanwhile. `None`: not yet."""
    said = decode_upgrade(await isapi.get("System/upgradeStatus", "upgradeStatus"))
    if said.percent == ALL and not said.under_way:
        return True
    if said.under_way or up_s is None:
        return None
    now_s = await _up_s(isapi)
    return False if now_s is not None and now_s < up_s else None
