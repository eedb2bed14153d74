"""What a camera is asked before and after an update, and what must be the same. Questions, and a pure comparison."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cameras.driver import Driver
from cameras.errors import DeviceError, Refused, Unsupported
from cameras.facts import App, FirmwareState
from fleet.store.packing import cut
from hardening.manifest import Manifest

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG"


async def no_picture(camera: Driver) -> str | None:
    """Why none of its profiles gives a JPEG or PNG picture: the least that a camera must do."""
    profiles = await camera.stream_profiles(await camera.services())
    uris = [profile.snapshot_uri for profile in profiles.profiles if profile.snapshot_uri]
    if not uris:
        return "it names no address of a picture"
    picture = await camera.snapshot(uris[0])
    return None if picture.startswith((_JPEG, _PNG)) else "what it sends as a picture is none"


async def installed(camera: Driver, manifest: Manifest) -> FirmwareState | App | None:
    """What of this bundle's kind the camera has now; `None` for an app that is not there."""
    if manifest.app is not None:
        wanted = manifest.app.id
        return next((app for app in (await camera.apps()).apps if app.id == wanted), None)
    return await firmware(camera)


async def firmware(camera: Driver) -> FirmwareState:
    """A camera that knows nothing of committing still says its version."""
    try:
        state = await camera.firmware_state()
    except Unsupported:
        state = FirmwareState(None, None, None, None, None)
    if state.version is not None:
        return state
    said = (await camera.identity()).firmware
    return FirmwareState(said, state.committed, state.previous, state.rollback_in_s, state.boot_id)


async def portrait(camera: Driver, has: FirmwareState | App | None) -> dict[str, Any]:
    """What must be the same afterwards, as it is stored. A question that the camera does not know is left out."""
    state = has if isinstance(has, FirmwareState) else None
    found: dict[str, Any] = {
        "version": has.version if has else None,
        "boot_id": state.boot_id if state else None,
        "can_commit": state is not None and state.committed is not None,
    }
    questions: Mapping[str, Callable[[], Awaitable[list[str]]]] = {
        "accounts": lambda: _accounts(camera),
        "services": lambda: _services(camera),
        "network services": lambda: _network_services(camera),
    }
    for name, question in questions.items():
        try:
            found[name] = await question()
        except (Unsupported, Refused):
            found[name] = None
    return {name: cut(value) for name, value in found.items()}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In words, what is not as it was. What was not known before proves nothing, and what is missing now is a loss.

    New services may come with new firmware; none may go. Accounts must be the very same.
    """
    found = []
    for name, may_grow in (("accounts", False), ("services", True), ("network services", True)):
        was, is_now = before.get(name), now.get(name)
        if was is None:
            continue
        if is_now is None:
            found.append(f"it no longer says its {name}")
            continue
        lost, new = sorted(set(was) - set(is_now)), sorted(set(is_now) - set(was))
        if lost:
            found.append(f"{name} lost: {', '.join(lost[:5])}")
        if new and not may_grow:
            found.append(f"{name} that were not there: {', '.join(new[:5])}")
    return found


async def faults(camera: Driver, manifest: Manifest, before: Mapping[str, Any]) -> list[str]:
    """Why this camera is not proved, asked over the connection given; empty where it is. Raises `cameras.errors`."""
    has = await installed(camera, manifest)
    if not is_version(has, manifest.version):
        said = has.version if has else "nothing"
        return [f"it runs {said} and not {manifest.version}"]
    if isinstance(has, App) and has.running is False:
        return ["the app does not run"]
    found = differences(before, await portrait(camera, has))
    if missing := await no_picture(camera):
        found.append(f"picture: {missing}")
    return found


def is_version(has: FirmwareState | App | None, version: object) -> bool:
    return has is not None and has.version is not None and has.version.strip() == version


async def _accounts(camera: Driver) -> list[str]:
    return sorted(f"{user.name} ({user.role})" for user in (await camera.accounts()).users)


async def _services(camera: Driver) -> list[str]:
    return sorted({service.namespace for service in (await camera.services()).services})


async def _network_services(camera: Driver) -> list[str]:
    said = (await camera.network_services()).services
    return sorted(f"{one.name} {','.join(map(str, one.ports))}" for one in said if one.enabled)


def why(error: DeviceError) -> str:
    """An error of the camera in one line."""
    return f"{type(error).__name__}: {error}"
