"""Commissioning by the REST API: checklists, a still of a camera, answers to rows, the signature."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Response
from pydantic import Field

from fleet.commissioning import records, template, views
from fleet.commissioning.checklist import Answer, State
from fleet.commissioning.records import MOST_CAMERAS, Where
from fleet.commissioning.template import Template
from fleet.commissioning.views import CameraView, CommissioningView
from fleet.errors import Invalid
from fleet.evidence import keep_photo
from fleet.people.permissions import Permission
from fleet.views import Page
from web.api_words import After, Body, Id, Lax, Limit, once
from web.visit import Visited

Word = Annotated[str, Field(max_length=200)]


class NewCommissioning(Body):
    """`site` is the title; `template` is one of those that come with the service."""

    site: Word
    cameras: Annotated[list[Id], Field(min_length=1, max_length=MOST_CAMERAS)]
    template: Word = "small-site"


class Said(Body):
    """What a person says of a row: a `state`, or a `label` that was read, or two `marks` on the still (rows of pixels)
    with the `height_m` between them.
    """

    state: Annotated[State, Lax] | None = None
    note: Annotated[str, Field(max_length=2000)] = ""
    label: Annotated[str, Field(max_length=200)] | None = None
    marks: Annotated[list[Annotated[float, Field(ge=0, le=100_000)]], Field(min_length=2, max_length=2)] | None = None
    height_m: Annotated[float, Field(gt=0, le=1000)] | None = None


class Signature(Body):
    name: Word


def templates(_visit: Visited) -> Sequence[Template]:
    """The checklists that come with the service."""
    return template.bundled()


async def listed(visit: Visited, *, after: After = None, limit: Limit = 20) -> Page[CommissioningView]:
    """The newest first."""
    return await views.listed(visit.store, after, limit, visit.reading)


async def start(visit: Visited, new: NewCommissioning, response: Response) -> CommissioningView:
    """Begin a checklist for these cameras."""
    scope = visit.scope(Permission.COMMISSION)
    made = await once(
        visit,
        lambda: records.start(visit.store, new.site, new.cameras, visit.name, template_id=new.template, scope=scope),
    )
    response.headers["Location"] = f"/api/v1/commissioning/{made}"
    return await views.get(visit.store, made, visit.reading)


async def get(visit: Visited, commissioning: str) -> CommissioningView:
    """Each camera with its rows, as they stand."""
    return await views.get(visit.store, commissioning, visit.reading)


async def camera(visit: Visited, commissioning: str, camera: str) -> CameraView:
    """One camera with its rows."""
    return (await views.get(visit.store, commissioning, visit.reading)).camera(camera)


async def still(visit: Visited, commissioning: str, camera: str) -> CameraView:
    """Take a picture of what the camera shows now, and keep it as evidence."""
    await records.check_open(visit.store, commissioning, camera)  # else a picture would be kept that nothing refers to
    name = await keep_photo(visit.service.settings.evidence, await visit.service.still(camera))
    await records.keep_still(visit.store, commissioning, camera, name)
    return (await views.get(visit.store, commissioning, visit.reading)).camera(camera)


async def answer(visit: Visited, commissioning: str, camera: str, row: str, said: Said) -> CameraView:
    """Photos are added in the console."""
    where = Where(commissioning, camera, row)
    if said.label is not None:
        await records.answer_label(visit.store, where, said.label, visit.name)
    elif said.marks is not None:
        marks = (said.marks[0], said.marks[1])
        await records.answer_density(visit.store, where, marks, said.height_m or 0.0, visit.name)
    elif said.state is not None:
        await records.answer(visit.store, where, Answer(said.state, said.note), visit.name)
    else:
        raise Invalid("say a state, a label or two marks")
    return (await views.get(visit.store, commissioning, visit.reading)).camera(camera)


async def sign(visit: Visited, commissioning: str, by: Signature) -> CommissioningView:
    """Once every row is closed; nothing of it changes any more."""
    await records.sign(visit.store, commissioning, by.name, visit.name)
    return await views.get(visit.store, commissioning, visit.reading)
