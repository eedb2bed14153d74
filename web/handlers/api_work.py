"""Work by the REST API: all of it in one list, scans, and changes of passwords."""

from typing import Annotated, Literal

from fastapi import Response
from pydantic import Field, TypeAdapter

from fleet import lookup, work
from fleet.errors import Invalid
from fleet.people.permissions import Permission
from fleet.rotations import default_passwords
from fleet.rotations.rows import RotationView
from fleet.rotations.runner import RotationId
from fleet.scans.runner import ScanId, ScanView
from fleet.views import Page
from fleet.work import Job, Kind
from web.api_words import After, Body, Id, Limit, once
from web.proving import prove_first_for
from web.streams import follow_state
from web.visit import Visit, Visited

MOST_NAMED = 5000
Cameras = Literal["all"] | Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=MOST_NAMED)]
_SCAN, _ROTATION = TypeAdapter(ScanView), TypeAdapter(RotationView)


class NewScan(Body):
    """`targets` as on the command line: addresses, ranges, networks, names, separated by spaces or new lines.

    With `looks_only` no login is sent anywhere, neither ours nor a default one.
    """

    targets: Annotated[str, Field(max_length=65536)]
    default_credentials: bool = True
    looks_only: bool = False
    confirmed: bool = False


class NewRotation(Body):
    """`cameras`: "all", or ids, serial numbers, names, addresses. `account`: the one that we log in with where it is
    left out.

    `finding` instead of both: the camera and the account of a finding about a default password.
    """

    cameras: Annotated[Cameras, Field(default_factory=list)]
    account: Annotated[str, Field(max_length=200)] | None = None
    finding: Annotated[str, Field(max_length=64)] = ""


class Unclear(Body):
    """`cameras`: ids of the rotation whose password is unclear."""

    cameras: Annotated[list[Id], Field(min_length=1, max_length=MOST_NAMED)]


async def everything(
    visit: Visited, *, kind: Kind | None = None, after: After = None, limit: Annotated[Limit, Field(le=200)] = 50
) -> Page[Job]:
    """Scans, plans, changes of passwords and rollouts, by when they were asked for, the newest first."""
    return await work.listed(visit.service, kind, after, limit, visit.reading)


# --- scans ------------------------------------------------------------------------------------------------------------


async def scans(visit: Visited, *, after: After = None, limit: Limit = 50) -> Page[ScanView]:
    """The newest first."""
    return await visit.scans.listed(after, limit, visit.reading)


async def start_scan(visit: Visited, new: NewScan, response: Response) -> ScanView:
    """Start a scan: 409 asks for `confirmed` beyond 4096 addresses."""
    scan = await once(
        visit,
        lambda: visit.scans.start(
            new.targets,
            visit.name,
            default_credentials=new.default_credentials,
            looks_only=new.looks_only,
            confirmed=new.confirmed,
            scope=visit.scope(Permission.SCAN),
        ),
    )
    response.headers["Location"] = f"/api/v1/scans/{scan}"
    return await visit.scans.get(ScanId(scan))


async def scan(visit: Visited, scan: str) -> ScanView:
    """Where it is, and what it found in numbers."""
    return await visit.scans.get(ScanId(scan))


async def scan_events(visit: Visited, scan: str) -> Response:
    """Server-sent events: the scan now, then at each change, until it has ended."""
    scans, wanted = visit.scans, ScanId(scan)
    await scans.get(wanted)  # 404 before the stream begins, not inside it
    return follow_state(visit, scans.events(wanted), lambda: scans.get(wanted), _SCAN)


async def stop_scan(visit: Visited, scan: str) -> ScanView:
    """Stop it and wait until it has; what it found is kept."""
    await visit.scans.stop(ScanId(scan))
    return await visit.scans.get(ScanId(scan))


# --- changes of passwords ---------------------------------------------------------------------------------------------


async def rotations(visit: Visited, *, after: After = None, limit: Limit = 20) -> Page[RotationView]:
    """The newest first."""
    return await visit.service.rotations.listed(after, limit, visit.reading)


async def start_rotation(visit: Visited, new: NewRotation, response: Response) -> RotationView:
    """Change passwords in the background: each is kept before it is sent, and counts once it was seen to work."""
    cameras, account = await _accounts(visit, new)
    scope = visit.scope(Permission.CHANGE)
    rotation = await once(visit, lambda: visit.service.rotations.start(cameras, account, visit.name, scope))
    response.headers["Location"] = f"/api/v1/rotations/{rotation}"
    return await visit.service.rotations.get(RotationId(rotation), visit.reading)


async def _accounts(visit: Visit, new: NewRotation) -> tuple[tuple[str, ...], str | None]:
    scope = visit.scope(Permission.CHANGE)
    if not new.finding:
        words = ["@all"] if new.cameras == "all" else new.cameras
        cameras = await lookup.cameras(visit.store, words, scope)
        prove_first_for(visit, len(cameras))
        return cameras, new.account or None
    if new.cameras or new.account:
        raise Invalid("a finding names the camera and the account: leave both out")
    service = visit.service
    camera, account = await default_passwords.hold_default(
        service.store, service.vault, service.settings, new.finding, visit.name, scope=scope
    )
    return (camera,), account


async def rotation(visit: Visited, rotation: str) -> RotationView:
    """Each camera with where it stands; never a password."""
    return await visit.service.rotations.get(RotationId(rotation), visit.reading)


async def rotation_events(visit: Visited, rotation: str) -> Response:
    """Server-sent events: the rotation now, then at each change, until none of its cameras is worked on."""
    rotations, wanted = visit.service.rotations, RotationId(rotation)
    await rotations.get(wanted, visit.reading)
    return follow_state(visit, rotations.events(wanted), lambda: rotations.get(wanted, visit.reading), _ROTATION)


async def reconcile(visit: Visited, rotation: str, unclear: Unclear) -> RotationView:
    """Find out which password holds where that is unclear: at most one wrong try for each camera."""
    view = await visit.service.rotations.get(RotationId(rotation))
    mine = {camera.camera for camera in view.cameras}
    if not set(unclear.cameras) <= mine:
        raise Invalid("one of these cameras is not part of this rotation")
    await visit.service.rotations.reconcile(unclear.cameras, visit.name)
    return await visit.service.rotations.get(RotationId(rotation), visit.reading)
