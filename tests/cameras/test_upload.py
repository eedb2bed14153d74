"""A file goes to a camera once, piece by piece, and never again after a hang-up."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cameras.drivers.onvif import OnvifDriver
from cameras.errors import DeviceError, Garbled, Refused, Unauthorized, Unreachable, Unsupported
from cameras.http import DeviceHttp, HttpLogin
from cameras.upload import CHUNK_BYTES, FileBody, file_body
from tests.cameras.saying import Saying, http, saying
from tests.cameras.saying_soap import CHALLENGE, DENIED, DEVICE, JOE, clock_body, fault, session_to, soap_reply
from tests.cameras.saying_vapix import REALM, WRONG, axis, no, told, words

IMAGE = bytes(range(256)) * 3000  # three pieces


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "secret-customer-name.bin"
    path.write_bytes(IMAGE)
    return path


def to(camera: Saying) -> DeviceHttp:
    return DeviceHttp("127.0.0.1", camera.port, "http", timeout_s=0.5, upload_patience_s=0)


def body(request: bytes) -> bytes:
    return request.partition(b"\r\n\r\n")[2]


# --- the connection --------------------------------------------------------------------------------------------------


async def test_a_file_is_read_in_pieces(image: Path) -> None:
    pieces = [piece async for piece in (await file_body(image)).chunks()]
    assert b"".join(pieces) == IMAGE
    assert max(len(piece) for piece in pieces) <= CHUNK_BYTES


@pytest.mark.parametrize("scheme", [REALM, 'WWW-Authenticate: Digest realm="r", nonce="m"'])
async def test_a_challenge_is_fetched_before_a_file_so_that_it_goes_once(image: Path, scheme: str) -> None:
    async with saying(http("", "401 Unauthorized", scheme), http("done")) as camera, to(camera) as device:
        content = await file_body(image)
        reply = await device.request("POST", device.base, content=content, login=HttpLogin(JOE))
        assert reply.body == b"done"
        first, second = camera.heard
        assert first.startswith(b"GET ")
        assert b"authorization" not in first.lower()
        assert b"authorization: digest" in second.lower()
        assert body(second) == IMAGE


BROKEN: dict[str, bytes | None] = {"a hang-up": b"", "silence": None, "an answer cut off": http("x" * 99)[:-9]}


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
async def test_a_file_is_not_sent_again(tmp_path: Path, reply: bytes | None) -> None:
    image = tmp_path / "small"
    image.write_bytes(b"small")
    async with saying(http("one"), reply) as camera, to(camera) as device:
        await device.request("GET", device.base)
        with pytest.raises(Unreachable):
            await device.request("POST", device.base, content=await file_body(image))
        assert len(camera.heard) == 2


async def test_a_file_that_became_shorter_is_not_passed_off_as_whole(image: Path) -> None:
    async with saying(http("done")) as camera, to(camera) as device:
        with pytest.raises(Unreachable, match="shorter"):
            await device.request("POST", device.base, content=FileBody(image, len(IMAGE) + 1))
        assert camera.heard == []


async def test_a_file_that_is_not_there_is_no_fault_of_the_camera(tmp_path: Path) -> None:
    async with axis(b"") as (driver, camera):
        with pytest.raises(FileNotFoundError):
            await driver.upload_app(tmp_path / "nothing", "nothing")
        assert camera.heard == []


# --- Axis ------------------------------------------------------------------------------------------------------------

STATUS = told({"activeFirmwareVersion": "11.11.181"})
DONE = told({"firmwareVersion": "12.11.77"})
TRIALS = {
    "on trial for ten minutes": (600, b'"params": {"autoCommit": "never", "autoRollback": "10"}'),
    "on trial for whole minutes": (61, b'"params": {"autoCommit": "never", "autoRollback": "2"}'),
    "as the camera likes": (None, b'"params": {}'),
}


@pytest.mark.parametrize(("rollback_after_s", "asked"), TRIALS.values(), ids=TRIALS)
async def test_sends_an_axis_camera_a_firmware(image: Path, rollback_after_s: int | None, asked: bytes) -> None:
    async with axis(STATUS, WRONG, DONE) as (driver, camera):
        await driver.upload_firmware(image, rollback_after_s=rollback_after_s)
        sent = camera.heard[2]
        head, _, form = sent.partition(b"\r\n\r\n")
        boundary = head.partition(b"boundary=")[2].split(b"\r\n")[0]
        empty, question, file, end = form.split(b"--" + boundary)
        assert (empty, end) == (b"", b"--\r\n")
        assert asked in question
        assert b"filename" not in question
        assert body(file) == IMAGE + b"\r\n"
        assert b'name="file"; filename="upload.bin"' in file
        assert b"customer" not in sent


async def test_sends_an_axis_camera_an_application(image: Path) -> None:
    async with axis(WRONG, words("OK")) as (driver, camera):
        await driver.upload_app(image, "small")
        assert IMAGE in camera.heard[1]


REFUSED = {
    "the wrong model": (no(421, "Invalid firmware"), Refused),
    "the last one still on trial": (no(412), Refused),
    "no right to": (http("", "403 Forbidden"), Refused),
    "another password by now": (WRONG, Unauthorized),
    "a page": (http("<html>thank you"), Garbled),
    "a reboot in the middle": (b"", Unreachable),
}


@pytest.mark.parametrize(("reply", "error"), REFUSED.values(), ids=REFUSED)
async def test_a_firmware_that_is_not_taken_is_sent_once(image: Path, reply: bytes, error: type[DeviceError]) -> None:
    async with axis(STATUS, WRONG, reply) as (driver, camera):
        with pytest.raises(error):
            await driver.upload_firmware(image, rollback_after_s=600)
        assert len(camera.heard) == 3


async def test_firmware_before_axis_could_go_back_is_unsupported_and_not_sent(image: Path) -> None:
    async with axis(http("", "404 Not Found")) as (driver, camera):
        with pytest.raises(Unsupported):
            await driver.upload_firmware(image, rollback_after_s=600)
        assert len(camera.heard) == 1


async def test_an_application_with_a_bad_signature_is_refused(image: Path) -> None:
    async with axis(WRONG, words("Error: 2")) as (driver, _):
        with pytest.raises(Refused):
            await driver.upload_app(image, "small")


# --- ONVIF -----------------------------------------------------------------------------------------------------------


def capabilities(*announced: str) -> bytes:
    words = " ".join(f'{name}="true"' for name in announced)
    return soap_reply(
        "<tds:GetServiceCapabilitiesResponse><tds:Capabilities><tds:Network/><tds:Security/>"
        f'<tds:System SystemLogging="true" {words}/></tds:Capabilities></tds:GetServiceCapabilitiesResponse>'
    )


def door(operation: str, uri: str = "http://192.168.1.64/upload?x=1", delay: str = "PT0S") -> bytes:
    wait = f"<tds:UploadDelay>{delay}</tds:UploadDelay>" if operation == "StartFirmwareUpgrade" else ""
    return soap_reply(
        f"<tds:{operation}Response><tds:UploadUri>{uri}</tds:UploadUri>{wait}"
        f"<tds:ExpectedDownTime>PT2M</tds:ExpectedDownTime></tds:{operation}Response>"
    )


ABLE = capabilities("HttpFirmwareUpgrade", "HttpSystemBackup")
UPGRADE, RESTORE = "StartFirmwareUpgrade", "StartSystemRestore"
LOGIN = (CHALLENGE, CHALLENGE, soap_reply(DEVICE))


@pytest.mark.parametrize("delay", ["PT0S", "PT0.01S"])
async def test_sends_an_onvif_camera_a_firmware_to_its_own_host(image: Path, delay: str) -> None:
    replies = (*LOGIN, ABLE, door(UPGRADE, delay=delay), CHALLENGE, http("", "200 OK"))
    async with saying(*replies) as camera, to(camera) as device:
        session = session_to(camera, device)
        await session.try_anonymously()
        await session.log_in(JOE)
        await OnvifDriver(session).upload_firmware(image, rollback_after_s=None)
        sent = camera.heard[6]
        assert sent.startswith(b"POST /upload?x=1 HTTP/1.1\r\n")
        assert b"Content-Type: application/octet-stream\r\n" in sent
        assert b"uthorization: Digest" in sent
        assert body(sent) == IMAGE


async def test_sends_a_firmware_to_a_camera_with_ws_security(image: Path) -> None:
    clock = soap_reply(clock_body(datetime.now(UTC)))
    replies = (DENIED, DENIED, clock, soap_reply(DEVICE), ABLE, door(UPGRADE), CHALLENGE, http())
    async with saying(*replies) as camera, to(camera) as device:
        session = session_to(camera, device)
        await session.try_anonymously()
        await session.log_in(JOE)
        await OnvifDriver(session).upload_firmware(image, rollback_after_s=None)
        assert b"uthorization: Digest" in camera.heard[7]
        assert body(camera.heard[7]) == IMAGE


Tell = Callable[[OnvifDriver, Path], Awaitable[object]]
UPLOAD: Tell = lambda d, path: d.upload_firmware(path, rollback_after_s=None)  # noqa: E731 - rows name what they tell
BACKUP: Tell = lambda d, _: d.backup()  # noqa: E731
PUT_BACK: Tell = lambda d, _: d.restore(b"configuration")  # noqa: E731
NOT_TAKEN: dict[str, tuple[Tell, tuple[bytes, ...], type[DeviceError], int]] = {
    "firmware by HTTP is not announced": (UPLOAD, (capabilities(),), Unsupported, 1),
    "capabilities are not told": (UPLOAD, (fault("Receiver", "ter:ActionNotSupported", "no"),), Unsupported, 1),
    "an upload address on no web at all": (UPLOAD, (ABLE, door(UPGRADE, "http://[::1")), Garbled, 2),
    "no upload address": (UPLOAD, (ABLE, door(UPGRADE, "")), Garbled, 2),
    "a delay in years": (UPLOAD, (ABLE, door(UPGRADE, delay="P1Y")), Garbled, 2),
    "a delay of an hour": (UPLOAD, (ABLE, door(UPGRADE, delay="PT1H")), Refused, 2),
    "a file of another camera": (UPLOAD, (ABLE, door(UPGRADE), http("", "415 Unsupported")), Refused, 3),
    "a camera in trouble": (UPLOAD, (ABLE, door(UPGRADE), http("", "500 Oops")), Refused, 3),
    "a reboot in the middle": (UPLOAD, (ABLE, door(UPGRADE), b""), Unreachable, 3),
    "a backup is not announced": (BACKUP, (capabilities(),), Unsupported, 1),
    "a backup without an address": (BACKUP, (ABLE, soap_reply("<tds:GetSystemUrisResponse/>")), Unsupported, 2),
    "restoring is not announced": (PUT_BACK, (capabilities("HttpFirmwareUpgrade"),), Unsupported, 1),
    "a configuration that is refused": (PUT_BACK, (ABLE, door(RESTORE), http("", "415 No")), Refused, 3),
    "a hang-up while restoring": (PUT_BACK, (ABLE, door(RESTORE), b""), Unreachable, 3),
}


@pytest.mark.parametrize(("tell", "replies", "error", "requests"), NOT_TAKEN.values(), ids=NOT_TAKEN)
async def test_what_an_onvif_camera_does_not_take_is_not_sent_again(
    image: Path, tell: Tell, replies: tuple[bytes, ...], error: type[DeviceError], requests: int
) -> None:
    async with saying(*replies) as camera, to(camera) as device:
        with pytest.raises(error):
            await tell(OnvifDriver(session_to(camera, device)), image)
        assert len(camera.heard) == requests


URIS = (
    "<tds:GetSystemUrisResponse><tds:SystemBackupUri>http://192.168.1.64/backup.bin</tds:SystemBackupUri>"
    "</tds:GetSystemUrisResponse>"
)
BACKUPS: dict[str, tuple[bytes, bytes | type[DeviceError]]] = {
    "whole": (http(b"\0configuration"), b"\0configuration"),
    "empty": (http(), Garbled),
    "not there": (http("", "404 Not Found"), Unsupported),
    "cut off": (http(b"x" * 99)[:-9], Unreachable),
}


@pytest.mark.parametrize(("reply", "expected"), BACKUPS.values(), ids=BACKUPS)
async def test_fetches_a_backup(reply: bytes, expected: bytes | type[DeviceError]) -> None:
    async with saying(ABLE, soap_reply(URIS), reply) as camera, to(camera) as device:
        driver = OnvifDriver(session_to(camera, device))
        if isinstance(expected, bytes):
            assert await driver.backup() == expected
            assert camera.heard[2].startswith(b"GET /backup.bin ")
        else:
            with pytest.raises(expected):
                await driver.backup()


async def test_gives_a_configuration_back() -> None:
    async with saying(ABLE, door(RESTORE), http()) as camera, to(camera) as device:
        await OnvifDriver(session_to(camera, device)).restore(b"\0configuration")
        assert body(camera.heard[2]) == b"\0configuration"
