"""A commissioning from its start to its signature, with what may not happen on the way."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fleet import estate
from fleet.commissioning import records, views
from fleet.commissioning.checklist import Answer, State
from fleet.commissioning.records import Where
from fleet.errors import Invalid, NotFound
from fleet.findings import triage as findings
from fleet.settings import Settings
from fleet.store import Store, open_store
from scanners.assessment import CameraAssessment
from scanners.evaluate import evaluate
from scanners.knowledge import load_knowledge
from scanners.score import score
from tests.fleet.samples import Clock
from tests.frame.sqlite import new_database
from tests.web.console_estate import AXIS, healthy

PHOTO = "a" * 64


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path, clock: Clock) -> AsyncIterator[Store]:
    settings = Settings(home=tmp_path / "home")
    await new_database(settings)
    async with await open_store(settings, clock) as opened:
        knowledge = load_knowledge()
        for number in (11, 12):
            dossier = healthy(number, AXIS)
            verdicts = evaluate(dossier, knowledge)
            await findings.record(opened, CameraAssessment(dossier, verdicts, score(verdicts)))
        yield opened


@pytest.fixture
async def cameras(store: Store) -> list[str]:
    return [row.id for row in (await estate.devices(store)).items]


@pytest.fixture
async def begun(store: Store, cameras: list[str]) -> str:
    return await records.start(store, "Harbour", cameras, "ana")


async def _states(store: Store, begun: str, camera: str) -> dict[str, State]:
    return {row.row.id: row.state for row in (await views.get(store, begun)).camera(camera).rows}


async def _close(store: Store, begun: str, camera: str) -> None:
    """Answer everything that a person must."""
    await records.keep_still(store, begun, camera, PHOTO)
    for row in (await views.get(store, begun)).camera(camera).rows:
        where = Where(begun, camera, row.row.id)
        if row.row.kind == "checks":
            if row.state is not State.AUTO_PASS:
                await records.answer(store, where, Answer(State.WAIVED, "agreed with the owner"), "ana")
        else:
            await records.answer(store, where, Answer(State.PASSED, evidence=(PHOTO,)), "ana")


async def test_the_machine_has_judged_its_rows_from_the_start(store: Store, begun: str, cameras: list[str]) -> None:
    states = await _states(store, begun, cameras[0])
    assert states["passwords"] is State.AUTO_PASS
    assert states["clock"] is State.AUTO_PASS
    assert {state for row, state in states.items() if row in ("label", "mounting", "view")} == {State.NOT_STARTED}


async def test_a_label_is_compared_with_what_the_camera_says(store: Store, begun: str, cameras: list[str]) -> None:
    view = await views.get(store, begun)
    serial = view.camera(cameras[0]).serial or ""
    where = Where(begun, cameras[0], "label")
    assert not await records.answer_label(store, where, "SN999999", "ana")
    row = (await views.get(store, begun)).camera(cameras[0]).rows[0]
    assert (row.state, serial in row.reason) == (State.FAILED, True)
    assert await records.answer_label(store, where, f" {serial.lower()} ", "ana")
    assert (await _states(store, begun, cameras[0]))["label"] is State.PASSED


async def test_density_passes_or_fails_by_what_was_measured(store: Store, begun: str, cameras: list[str]) -> None:
    where = Where(begun, cameras[0], "density")
    with pytest.raises(Invalid, match="no still"):
        await records.answer_density(store, where, (100, 500), 1.7, "ana")
    await records.keep_still(store, begun, cameras[0], PHOTO)
    await records.answer_density(store, where, (100, 200), 1.7, "ana")
    assert (await _states(store, begun, cameras[0]))["density"] is State.FAILED
    await records.answer_density(store, where, (100, 500), 1.7, "ana")
    row = next(row for row in (await views.get(store, begun)).camera(cameras[0]).rows if row.row.id == "density")
    assert (row.state, row.value, row.evidence) == (State.PASSED, "235.3 px/m", (PHOTO,))


async def test_a_still_of_yesterday_proves_nothing(store: Store, begun: str, cameras: list[str], clock: Clock) -> None:
    await records.keep_still(store, begun, cameras[0], PHOTO)
    clock.forward(hours=25)
    with pytest.raises(Invalid, match="no still"):
        await records.answer(store, Where(begun, cameras[0], "view"), Answer(State.PASSED), "ana")


async def test_only_a_closed_checklist_is_signed_and_then_it_is_closed_for_ever(
    store: Store, begun: str, cameras: list[str]
) -> None:
    await _close(store, begun, cameras[0])
    with pytest.raises(Invalid, match="rows are not closed"):
        await records.sign(store, begun, "Ana Sousa", "ana")
    with pytest.raises(Invalid, match="not signed yet"):
        await records.signed_record(store, begun)
    await _close(store, begun, cameras[1])
    await records.sign(store, begun, "Ana Sousa", "ana")
    with pytest.raises(Invalid, match="is signed"):
        await records.answer(store, Where(begun, cameras[0], "cable"), Answer(State.FAILED, "loose"), "ana")
    record = await records.signed_record(store, begun)
    assert record["signed_by"] == "Ana Sousa (ana)"
    assert {row["state"] for camera in record["cameras"] for row in camera["rows"]} <= {
        *("auto-pass", "passed", "waived")
    }


async def test_what_was_signed_does_not_change_with_the_next_visit(
    store: Store, begun: str, cameras: list[str]
) -> None:
    for camera in cameras:
        await _close(store, begun, camera)
    await records.sign(store, begun, "Ana Sousa", "ana")
    before = await records.signed_record(store, begun)
    async with store.write() as connection:
        await connection.exec_driver_sql("UPDATE verdicts_current SET verdict = 'fail'")
    assert await records.signed_record(store, begun) == before


async def test_the_next_camera_is_the_one_with_work_left(store: Store, begun: str) -> None:
    first, second = (camera.id for camera in (await views.get(store, begun)).cameras)
    assert getattr((await views.get(store, begun)).after(first), "id", None) == second
    await _close(store, begun, second)
    assert (await views.get(store, begun)).after(first) is None
    assert getattr((await views.get(store, begun)).after(second), "id", None) == first


BEGINNINGS = {
    "without a name": ("  ", True, "small-site", Invalid, "name"),
    "without cameras": ("Harbour", False, "small-site", Invalid, "from 1"),
    "with a template that is none": ("Harbour", True, "large-site", Invalid, "no template"),
}


@pytest.mark.parametrize(("site", "some", "template", "error", "said"), BEGINNINGS.values(), ids=BEGINNINGS)
async def test_it_does_not_begin(
    store: Store, cameras: list[str], site: str, some: bool, template: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        await records.start(store, site, cameras if some else [], "ana", template_id=template)


async def test_a_camera_that_is_not_stored_is_not_commissioned(store: Store, cameras: list[str]) -> None:
    with pytest.raises(NotFound):
        await records.start(store, "Harbour", [*cameras, "nobody"], "ana")
