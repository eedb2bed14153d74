"""Commissionings in the store: begin one, answer its rows, sign it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cameras.untrusted import clean_text
from fleet.audit.trail import Action, Entry, record
from fleet.commissioning import density
from fleet.commissioning.checklist import Answer, State, label_matches, refuse
from fleet.commissioning.template import Row, template
from fleet.commissioning.views import CameraView, CommissioningView, as_record, get, view_of
from fleet.errors import Invalid, NotFound
from fleet.people.scope import EVERYWHERE, Scope, those_within
from fleet.store import Store
from fleet.store import commissioning_tables as c
from fleet.store.ids import new_id

OPEN, SIGNED = "open", "signed"
MOST_CAMERAS = 500
_MOST_TEXT = 2000
# A still proves what the camera shows now, not what it showed at the last visit.
STILL_IS_FRESH = timedelta(days=1)


async def start(
    store: Store,
    site: str,
    cameras: Sequence[str],
    actor: str,
    *,
    template_id: str = "small-site",
    scope: Scope = EVERYWHERE,
) -> str:
    """Begin a commissioning of stored cameras in scope. Raises Invalid, NotFound."""
    chosen = template(template_id)
    name = clean_text(site.strip(), 100)
    if not name:
        raise Invalid("give the site a name")
    wanted = list(dict.fromkeys(cameras))
    if not 1 <= len(wanted) <= MOST_CAMERAS:
        raise Invalid(f"choose from 1 to {MOST_CAMERAS} cameras")
    commissioning = new_id()
    row = {
        "id": commissioning,
        "site": name,
        "template": chosen.model_dump(mode="json"),
        "state": OPEN,
        "started_by": clean_text(actor),
        "started_at": store.now(),
        **dict.fromkeys(("signed_by", "signed_at", "record")),
    }
    async with store.write() as connection:
        known = await those_within(connection, scope, wanted)
        if missing := [camera for camera in wanted if camera not in known]:
            raise NotFound(f"there is no camera {missing[0]!r}")
        await connection.execute(insert(c.Commissioning), [row])
        await connection.execute(
            insert(c.CommissionedCamera),
            [
                {"commissioning": commissioning, "camera": camera, "place": place, "still": None, "still_at": None}
                for place, camera in enumerate(wanted)
            ],
        )
    return commissioning


# --- answers ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Where:
    """One row of one camera of one commissioning."""

    commissioning: str
    camera: str
    row: str


async def check(store: Store, where: Where, said: Answer) -> None:
    """Raises what `answer` would raise and writes nothing: asked before a photo is kept for it."""
    async with store.read() as connection:
        _accept(store, await _open_view(connection, where.commissioning), where, said)


def _accept(store: Store, view: CommissioningView, where: Where, said: Answer) -> tuple[CameraView, Row]:
    there = view.camera(where.camera)
    row = view.template.row(where.row)
    fresh = there.still_at is not None and store.now() - there.still_at <= STILL_IS_FRESH
    refuse(row, said, still=fresh)
    return there, row


async def answer(store: Store, where: Where, said: Answer, actor: str) -> None:
    """What a person says of a row. The row's answers before it stay in its history. Raises Invalid, NotFound."""
    async with store.write() as connection:
        view = await _open_view(connection, where.commissioning)
        there, row = _accept(store, view, where, said)
        stills = [there.still] if "still" in row.evidence and there.still and said.state is State.PASSED else []
        one = {
            "id": new_id(),
            "commissioning": where.commissioning,
            "camera": where.camera,
            "row": row.id,
            "state": said.state.value,
            "note": clean_text(said.note.strip(), _MOST_TEXT),
            "value": said.value,
            "evidence": [*said.evidence, *stills],
            "actor": clean_text(actor),
            "at": store.now(),
        }
        await connection.execute(insert(c.RowAnswer), [one])


async def answer_label(store: Store, where: Where, typed: str, actor: str) -> bool:
    """Compare a typed or scanned label with what the camera says of itself; the row passes or fails by that."""
    label = clean_text(typed.strip(), 100)
    view = await get(store, where.commissioning)
    there = view.camera(where.camera)
    if view.template.row(where.row).kind != "label":
        raise Invalid("this row does not ask for a label")
    if there.serial is None and there.mac is None:
        raise Invalid("the camera has told neither serial number nor MAC address; scan it with a login first")
    right = label_matches(label, (there.serial, there.mac))
    note = "" if right else f"the camera says serial {there.serial or 'unknown'}, MAC {there.mac or 'unknown'}"
    said = Answer(State.PASSED if right else State.FAILED, note, value=label)
    await answer(store, where, said, actor)
    return right


async def answer_density(
    store: Store, where: Where, marks: tuple[float, float], height_m: float, actor: str
) -> density.Density:
    """Measure between two rows of the still; the row passes or fails by its target."""
    row = (await get(store, where.commissioning)).template.row(where.row)
    if row.target is None:
        raise Invalid("this row does not ask for a pixel density")
    found = density.measure(*marks, height_m)
    enough = density.suffices(found, row.target)
    reached = f"reaches {found.reaches_2025 or 'no level'} (2025), {found.reaches_2015 or 'no level'} (2015)"
    said = Answer(State.PASSED if enough else State.FAILED, reached, value=f"{found.px_per_m:g} px/m")
    await answer(store, where, said, actor)
    return found


async def check_open(store: Store, commissioning: str, camera: str) -> None:
    """Raises what `keep_still` would raise, before a picture is taken for it."""
    async with store.read() as connection:
        (await _open_view(connection, commissioning)).camera(camera)


async def keep_still(store: Store, commissioning: str, camera: str, still: str) -> None:
    """Remember the newest still of a camera, by its name in the evidence store."""
    mine = (c.CommissionedCamera.commissioning == commissioning, c.CommissionedCamera.camera == camera)
    async with store.write() as connection:
        await _open_view(connection, commissioning)
        done = await connection.execute(
            update(c.CommissionedCamera).where(*mine).values(still=still, still_at=store.now())
        )
        if not done.rowcount:
            raise NotFound("this camera is not part of the commissioning")


async def sign(store: Store, commissioning: str, name: str, actor: str) -> None:
    """Close it for ever, under that name. Raises Invalid while a row is open or failed."""
    signer = clean_text(name.strip(), 100)
    if not signer:
        raise Invalid("type your name to sign")
    async with store.write() as connection:
        view = await _open_view(connection, commissioning)
        closed, failed, rows = view.progress
        if closed < rows:
            raise Invalid(f"{rows - closed} of {rows} rows are not closed ({failed} failed): close or waive them first")
        await connection.execute(
            update(c.Commissioning)
            .where(c.Commissioning.id == commissioning)
            .values(
                state=SIGNED,
                signed_by=f"{signer} ({clean_text(actor)})",
                signed_at=store.now(),
                record=as_record(view),
            )
        )
        said = {"name": signer, "site": view.site, "rows": rows}
        await record(connection, Entry(actor, Action.COMMISSIONING_SIGN, f"commissioning:{commissioning}", said))


async def signed_record(store: Store, commissioning: str) -> dict[str, Any]:
    """What was signed, with the signature. Raises NotFound, and Invalid before it is signed."""
    columns = (c.Commissioning.record, c.Commissioning.signed_by, c.Commissioning.signed_at)
    async with store.read() as connection:
        row = (await connection.execute(select(*columns).where(c.Commissioning.id == commissioning))).first()
    if row is None:
        raise NotFound("there is no such commissioning")
    if row.record is None or row.signed_at is None:
        raise Invalid("it is not signed yet: only a signed commissioning is handed over")
    return {**row.record, "id": commissioning, "signed_by": row.signed_by, "signed_at": row.signed_at.isoformat()}


async def _open_view(connection: AsyncConnection, commissioning: str) -> CommissioningView:
    view = await view_of(connection, commissioning)
    if view.state != OPEN:
        raise Invalid("this commissioning is signed; begin a new one for a new visit")
    return view
