"""Files to and from a camera over ONVIF: firmware, and the configuration that it exports and takes back.

By HTTP at an address that the camera names, where it announces that; else inside the SOAP message (MTOM), as older
cameras have it. Core specification, "Firmware upgrade" and "Backup and restore".
"""

import asyncio
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cameras import mtom, soap
from cameras.errors import Garbled, Refused, Unsupported
from cameras.http import refusal
from cameras.onvif_replies import decode_backup_uri, decode_upload_door, has_ability
from cameras.onvif_session import OnvifSession
from cameras.upload import FileBody, file_body

MOST_BACKUP_BYTES = 64 * 1024 * 1024
MOST_BACKUP_FILES = 16
BACKUP_TIMEOUT_S = 120.0
# A camera that wants longer than this before it takes a file is not waited for.
MOST_UPLOAD_DELAY_S = 120.0
# A camera may export several files by MTOM: they travel as one archive that says what it is.
ARCHIVE = b"camwarden: files of GetSystemBackup"


async def _abilities(session: OnvifSession) -> Any:  # noqa: ANN401 - zeep's values have no types
    return await session.ask(soap.DEVICE, "GetServiceCapabilities")


async def upload_firmware(session: OnvifSession, image: Path) -> None:
    body = await file_body(image)
    abilities = await _abilities(session)
    if has_ability(abilities, "HttpFirmwareUpgrade"):
        await _upload(session, "StartFirmwareUpgrade", body)
    elif has_ability(abilities, "FirmwareUpgrade"):
        firmware = {**mtom.INCLUDE, "contentType": "application/octet-stream"}
        await session.tell_with_file("UpgradeSystemFirmware", {"Firmware": firmware}, body)
    else:
        raise Unsupported("it announces neither HttpFirmwareUpgrade nor FirmwareUpgrade")


async def backup(session: OnvifSession) -> bytes:
    """What `restore` takes: the camera's own file, or an archive of several."""
    abilities = await _abilities(session)
    if has_ability(abilities, "HttpSystemBackup"):
        return await _backup_by_http(session)
    if has_ability(abilities, "SystemBackup"):
        return _archived(await _backup_by_mtom(session))
    raise Unsupported("it announces neither HttpSystemBackup nor SystemBackup")


async def restore(session: OnvifSession, configuration: bytes) -> None:
    abilities = await _abilities(session)
    if has_ability(abilities, "HttpSystemBackup"):
        await _upload(session, "StartSystemRestore", configuration)
    elif has_ability(abilities, "SystemBackup"):
        for name, data in _from_archive(configuration).items():
            files = [{"Name": name, "Data": mtom.INCLUDE}]
            await session.tell_with_file("RestoreSystem", {"BackupFiles": files}, data)
    else:
        raise Unsupported("it announces neither HttpSystemBackup nor SystemBackup")


async def _backup_by_http(session: OnvifSession) -> bytes:
    uri = decode_backup_uri(await session.ask(soap.DEVICE, "GetSystemUris"))
    async with session.http.anew(most_bytes=MOST_BACKUP_BYTES, timeout_s=BACKUP_TIMEOUT_S) as http:
        reply = await http.request("GET", http.local_url(uri), login=session.http_login)
    if error := refusal(reply, "backup"):
        raise error
    if not reply.body:
        raise Garbled("backup: it is empty")
    return reply.body


async def _backup_by_mtom(session: OnvifSession) -> Mapping[str, bytes]:
    async with session.http.anew(most_bytes=MOST_BACKUP_BYTES, timeout_s=BACKUP_TIMEOUT_S) as http:
        answer, files = await session.ask_for_files("GetSystemBackup", http)
    found: dict[str, bytes] = {}
    for entry in (answer or ())[:MOST_BACKUP_FILES]:
        data = mtom.included(getattr(getattr(getattr(entry, "Data", None), "Include", None), "href", None), files)
        if data:
            found[str(getattr(entry, "Name", None) or f"file-{len(found) + 1}")] = data
    if not found:
        raise Garbled("GetSystemBackup: it names no file that came with the answer")
    return found


def _archived(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = ARCHIVE
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def _from_archive(data: bytes) -> Mapping[str, bytes]:
    """Refused for a file that is none of ours: which name the camera would know it by was never said."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            fits = len(entries) <= MOST_BACKUP_FILES and sum(e.file_size for e in entries) <= MOST_BACKUP_BYTES
            if archive.comment == ARCHIVE and fits:
                return {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        pass
    raise Refused("this is no backup that was made over ONVIF from a camera of this kind")


async def _upload(session: OnvifSession, operation: str, body: bytes | FileBody) -> None:
    """To the address that the camera names, on its own host whatever it says, after the time that it asks for."""
    door = decode_upload_door(await session.ask(soap.DEVICE, operation, once=True))
    http = session.http
    url = http.local_url(door.uri)
    if door.delay_s > MOST_UPLOAD_DELAY_S:
        raise Refused(f"{operation}: it wants {door.delay_s:.0f} s before it takes a file")
    await asyncio.sleep(door.delay_s)
    headers = {"Content-Type": "application/octet-stream"}
    reply = await http.request("POST", url, content=body, headers=headers, login=session.http_login, once=True)
    if error := refusal(reply, "upload"):
        raise error
