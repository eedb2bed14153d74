"""An image goes to a Hikvision camera once, and is seen into the restart that it needs."""

from pathlib import Path

import pytest

from cameras.errors import DeviceError, Refused, Unreachable
from tests.cameras.saying import http
from tests.cameras.saying_isapi import MISSING, OK, REALM, asked, doc, hikvision, said


def up(seconds: int) -> bytes:
    return doc("DeviceStatus", f"<deviceUpTime>{seconds}</deviceUpTime>")


def progress(upgrading: str, percent: str) -> bytes:
    return doc("upgradeStatus", f"<upgrading>{upgrading}</upgrading><percent>{percent}</percent>")


DONE = progress("false", "100")
CHALLENGED = http("", "401 Unauthorized", REALM)
# After the question for how long it is up and the file's own challenge: what it says, how it ends, and what was asked.
IMAGES: dict[str, tuple[tuple[bytes | None, ...], type[DeviceError] | None, tuple[str, ...]]] = {
    "written, then told to restart": ((OK, DONE, OK), None, ("upgradeStatus", "reboot")),
    "written, and it hangs up when it is told to restart": ((OK, DONE, b""), None, ("upgradeStatus", "reboot")),
    "written, and it restarts by itself": ((OK, b""), None, ("upgradeStatus",)),
    "back already": ((OK, progress("false", "0"), up(3)), None, ("upgradeStatus", "status")),
    "another model's image": ((said(6, "Invalid XML Content", "badDevType", "400 Bad Request"),), Refused, ()),
    "another language's image, under HTTP 200": ((said(4, "Invalid Operation", "badLanguage"),), Refused, ()),
    "sent, and no answer": ((b"",), Unreachable, ()),
    "sent, and not told how far it is": ((OK, MISSING), Unreachable, ("upgradeStatus",)),
    "sent, and never written": ((OK, progress("true", "12")), Unreachable, ("upgradeStatus",)),
    "sent, and told nonsense of it": ((OK, http("<html>")), Unreachable, ("upgradeStatus",)),
}


@pytest.mark.parametrize(("replies", "error", "after"), IMAGES.values(), ids=IMAGES)
async def test_an_image_goes_once_and_is_seen_into_the_restart(
    replies: tuple[bytes | None, ...], error: type[DeviceError] | None, after: tuple[str, ...], tmp_path: Path
) -> None:
    image = tmp_path / "digicap.dav"
    image.write_bytes(b"image")
    async with hikvision(up(7800), CHALLENGED, *replies) as (driver, camera):
        if error is None:
            await driver.upload_firmware(image, rollback_after_s=None)
        else:
            with pytest.raises(error):
                await driver.upload_firmware(image, rollback_after_s=None)
        sent = [request for request in camera.heard if request.endswith(b"\r\n\r\nimage")]
        (one,) = sent
        assert one.startswith(b"PUT /ISAPI/System/updateFirmware ")
        assert b"Content-Type: application/octet-stream" in one
        rest = camera.heard[camera.heard.index(one) + 1 :]
        assert tuple(asked(request)[1].removeprefix("System/") for request in rest) == after
