"""Files that a Hanwha camera is sent: an image once, an application in two steps."""

from pathlib import Path

import pytest

from cameras.errors import DeviceError, Garbled, Refused, Unreachable, Unsupported
from tests.cameras.saying import http
from tests.cameras.saying_sunapi import BUSY, MISSING, OK, REALM, asked, hanwha, ng, pairs

CHALLENGE = http("", "401 Unauthorized", REALM)


def stream(*states: str) -> bytes:
    parts = "".join(f"--SamsungTechwin\r\nContent-Type: text/plain\r\n\r\n{state}\r\n\r\n" for state in states)
    return http(parts, "200 OK", "Content-Type: multipart/x-mixed-replace; boundary=SamsungTechwin")


ALL_SKIPPED = stream("Status=DownloadOK", "FirmwareModule=App\r\nStatus=Skip", "Status=End")
IMAGES: dict[str, tuple[bytes | None, type[DeviceError] | None]] = {
    "written": (stream("Status=DownloadAck\r\nProgress=10", "Status=Start", "FirmwareModule=App\r\nStatus=OK"), None),
    "written, one part was the same": (stream("Status=Skip", "Status=OK", "Status=End"), None),
    "the same version": (ALL_SKIPPED, Refused),
    "for another model": (stream("Status=DownloadAck", "Status=DownloadFail"), Refused),
    "failed half-way": (stream("Status=Start", "FirmwareModule=Kernel\r\nStatus=Fail"), Refused),
    "refused": (ng(602, "Invalid Input Value"), Refused),
    "a file that is none": (ng(604, "Invalid File"), Refused),
    "broken off at the start": (stream("Status=DownloadAck", "Status=Start"), Unreachable),
    "no word of it": (http("<html>"), Garbled),
    "a hang-up": (b"", Unreachable),
    "silence": (None, Unreachable),
    "busy": (BUSY, Refused),
}


@pytest.mark.parametrize(("reply", "error"), IMAGES.values(), ids=IMAGES)
async def test_sends_an_image_once(reply: bytes | None, error: type[DeviceError] | None, tmp_path: Path) -> None:
    image = tmp_path / "firmware.img"
    image.write_bytes(b"\x00image")
    async with hanwha(CHALLENGE, reply) as (driver, camera):
        if error is None:
            await driver.upload_firmware(image, rollback_after_s=None)
        else:
            with pytest.raises(error):
                await driver.upload_firmware(image, rollback_after_s=None)
        assert asked(camera.heard[1]) == ("system/firmwareupdate/control", {"Type": "Normal"})
        assert b"\x00image" in camera.heard[1]
        assert len(camera.heard) == 2


async def test_a_camera_that_is_asked_to_go_back_by_itself_is_sent_nothing(tmp_path: Path) -> None:
    async with hanwha(OK) as (driver, camera):
        with pytest.raises(Unsupported):
            await driver.upload_firmware(tmp_path / "x.img", rollback_after_s=600)
        assert camera.heard == []


INSTALLS: dict[str, tuple[bytes, dict[str, str]]] = {
    "a new one": (pairs("ApplicationSessionId=Tail-10.0.0.9", "Permission=SD", "InstallType=New"), {}),
    "a newer one": (
        pairs("ApplicationSessionId=Tail-10.0.0.9", "InstallType=Upgrade"),
        {"KeepOldSettings": "True"},
    ),
}


@pytest.mark.parametrize(("reply", "kept"), INSTALLS.values(), ids=INSTALLS)
async def test_installs_an_application_in_two_steps(reply: bytes, kept: dict[str, str], tmp_path: Path) -> None:
    package = tmp_path / "Tail.cap"
    package.write_bytes(b"app")
    async with hanwha(CHALLENGE, reply, OK) as (driver, camera):
        await driver.upload_app(package, "Tail")
        said = {"AppID": "Tail", "Channel": "0"}
        assert asked(camera.heard[1]) == ("opensdk/apps/install", {**said, "IgnoreCookie": "True"})
        assert b'name="UploadedFile"; filename="Tail.cap"' in camera.heard[1]
        assert asked(camera.heard[2]) == (
            "opensdk/apps/install",
            {**said, "ApplicationSessionId": "Tail-10.0.0.9", **kept},
        )


PACKAGES: dict[str, tuple[str, tuple[bytes, ...], type[DeviceError], int]] = {
    "an id that is none": ("ta il", (OK,), Refused, 0),
    "no id": ("", (OK,), Refused, 0),
    "a file that is none": ("Tail", (CHALLENGE, ng(604, "Invalid File")), Refused, 2),
    "no session": ("Tail", (CHALLENGE, pairs("InstallType=New")), Garbled, 2),
    "no applications at all": ("Tail", (CHALLENGE, MISSING), Unsupported, 2),
    "a second word that is refused": (
        "Tail",
        (CHALLENGE, pairs("ApplicationSessionId=x"), ng(602, "Invalid")),
        Refused,
        3,
    ),
}


@pytest.mark.parametrize(("name", "replies", "error", "asked_for"), PACKAGES.values(), ids=PACKAGES)
async def test_an_application_that_was_not_installed_is_an_error(
    name: str, replies: tuple[bytes, ...], error: type[DeviceError], asked_for: int, tmp_path: Path
) -> None:
    package = tmp_path / "Tail.cap"
    package.write_bytes(b"app")
    async with hanwha(*replies) as (driver, camera):
        with pytest.raises(error):
            await driver.upload_app(package, name)
        assert len(camera.heard) == asked_for
