"""`camwarden/assessment/1`: the result of one assessment as other people's scripts read it.

Every address that was asked for stands in it: among `cameras`, or under `not_evaluated` with a reason.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from ipaddress import ip_address
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from cameras.facts import Identity
from scanners.assessment import CameraAssessment, NotEvaluated
from scanners.model import Outcome, Severity, Verdict
from scanners.targets import Target

FORMAT: Literal["camwarden/assessment/1"] = "camwarden/assessment/1"
WORST_FIRST = tuple(Severity)


class ReportError(ValueError):
    """A file that is no assessment. The text says where it goes wrong."""


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class CameraIdentity:
    """Who the camera says it is; all `None` where it did not say."""

    manufacturer: str | None
    model: str | None
    firmware: str | None
    serial: str | None
    mac: str | None
    driver: str | None


NOBODY = CameraIdentity(None, None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class AssessedCamera:
    """One camera. `services` is what nmap took its open ports for, by port; empty where nmap was not asked."""

    address: str
    port: int
    identity: CameraIdentity
    verdicts: tuple[Verdict, ...]
    score: int
    services: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Address and port as they stand in a URL."""
        return _in_url(self.address, self.port)

    @property
    def name(self) -> str:
        """Manufacturer and model, as far as they are known."""
        words = " ".join(word for word in (self.identity.manufacturer, self.identity.model) if word)
        return words or "unknown model"

    @property
    def key(self) -> str:
        """What stays the same when its address changes: the serial number, else the MAC, else the address."""
        who = self.identity
        if who.serial and who.manufacturer:
            return f"{who.manufacturer.casefold()}/{who.serial}"
        return who.mac or self.place

    def having(self, *outcomes: Outcome) -> list[Verdict]:
        """Its verdicts of these outcomes, worst first."""
        found = [verdict for verdict in self.verdicts if verdict.verdict in outcomes]
        return sorted(found, key=lambda verdict: WORST_FIRST.index(verdict.severity))


@dataclass(frozen=True, slots=True)
class Assessment:
    """All of it. `started` and `finished` are ISO 8601 in UTC, with a Z."""

    tool: Tool
    started: str
    finished: str
    cameras: tuple[AssessedCamera, ...]
    not_evaluated: tuple[NotEvaluated, ...]
    format: Literal["camwarden/assessment/1"] = FORMAT

    def count(self, outcome: Outcome) -> Counter[Severity]:
        """How many verdicts of this outcome there are, by severity."""
        return Counter(verdict.severity for camera in self.cameras for verdict in camera.having(outcome))

    def worst_first(self) -> list[AssessedCamera]:
        return sorted(self.cameras, key=lambda camera: (camera.score, _place(camera.address, camera.port)))


def assessed(
    version: str, started: str, finished: str, results: Iterable[CameraAssessment | NotEvaluated]
) -> Assessment:
    """The assessment of these results, whatever the order in which they came."""
    kept = list(results)
    cameras = [_camera(result) for result in kept if isinstance(result, CameraAssessment)]
    others = [result for result in kept if isinstance(result, NotEvaluated)]
    return Assessment(
        tool=Tool("camwarden", version),
        started=started,
        finished=finished,
        cameras=tuple(sorted(cameras, key=lambda camera: _place(camera.address, camera.port))),
        not_evaluated=tuple(
            sorted(others, key=lambda one: (*_place(one.address, one.port or 0), one.reason, one.detail))
        ),
    )


def with_the_missing(
    targets: Sequence[Target], results: Sequence[CameraAssessment | NotEvaluated], reason: str, detail: str
) -> list[CameraAssessment | NotEvaluated]:
    """The results, and an entry for every target that has none: nothing that was asked for is left out in silence."""
    answered = Counter(r.address if isinstance(r, NotEvaluated) else r.dossier.address for r in results)
    asked = Counter(target.address for target in targets)
    missing = [NotEvaluated(address, reason, detail) for address in (asked - answered).elements()]
    return [*results, *missing]


def with_services(assessment: Assessment, found: Mapping[str, Mapping[int, str]]) -> Assessment:
    """What nmap recognised, at the cameras that have their address to themselves."""
    alone = Counter(camera.address for camera in assessment.cameras)
    cameras = (
        replace(camera, services={str(port): name for port, name in sorted(found[camera.address].items())})
        if camera.address in found and alone[camera.address] == 1
        else camera
        for camera in assessment.cameras
    )
    return replace(assessment, cameras=tuple(cameras))


def asked_place(one: NotEvaluated) -> str:
    """The address, with the port where one was asked for."""
    return one.address if one.port is None else _in_url(one.address, one.port)


def _in_url(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _camera(result: CameraAssessment) -> AssessedCamera:
    said = result.dossier.identity
    who = (
        CameraIdentity(said.manufacturer, said.model, said.firmware, said.serial, said.mac, said.driver)
        if isinstance(said, Identity)
        else NOBODY
    )
    return AssessedCamera(result.dossier.address, result.dossier.port, who, result.verdicts, result.score)


def _place(address: str, port: int) -> tuple[int, int, str, int]:
    try:
        parsed = ip_address(address)
    except ValueError:  # from a file that somebody wrote by hand
        return 0, 0, address, port
    return parsed.version, int(parsed), address, port


# --- as JSON ----------------------------------------------------------------------------------------------------------


@cache
def _adapter() -> TypeAdapter[Assessment]:
    return TypeAdapter(Assessment)


def schema() -> dict[str, Any]:
    """The JSON Schema of the format."""
    shape = _adapter().json_schema(mode="serialization")
    for part in (shape, *shape["$defs"].values()):
        part.pop("description", None)  # docstrings, written for whoever reads the code
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **shape, "title": FORMAT}


def to_values(assessment: Assessment) -> dict[str, Any]:
    """As JSON-ready values, the format first; what nobody asked for (nmap's services, a port) is left out."""
    values: dict[str, Any] = _adapter().dump_python(assessment, mode="json")
    for camera in values["cameras"]:
        if not camera["services"]:
            del camera["services"]
    for entry in values["not_evaluated"]:
        if entry["port"] is None:
            del entry["port"]
    return {"format": values.pop("format"), **values}


def to_json(assessment: Assessment) -> str:
    """ASCII only: names from cameras reach a terminal as escapes of JSON, never as escapes of the terminal."""
    return json.dumps(to_values(assessment), indent=1)


def verdict_values(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Verdicts as they stand in an assessment."""
    values: list[dict[str, Any]] = TypeAdapter(list[Verdict]).dump_python(list(verdicts), mode="json")
    return values


def from_json(text: str | bytes) -> Assessment:
    """The inverse of `to_json`. Raises ReportError."""
    try:
        return _adapter().validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "the file"
        raise ReportError(f"this is not {FORMAT}: {where}: {first['msg']}") from None
