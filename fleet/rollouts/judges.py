"""What a camera is judged by before and after an update, beside what it says of itself: its picture, and its own AI."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analytics_qa.errors import AnalyticsError
from cameras.errors import Garbled, Unsupported
from fleet.accuracy import model_gate
from fleet.accuracy.model_gate import Measurement

# Of a camera's id: the faults of its picture now, `None` where nothing can be said. Raises FleetError.
PictureFaults = Callable[[str], Awaitable[Sequence[str] | None]]
# Of a camera's id, watched for so many seconds. Raises `cameras.errors`, FleetError, AnalyticsError.
Measure = Callable[[str, float], Awaitable[Measurement]]

# A burst that a slow link cuts short says nothing: only so many in a row mean that a picture cannot be judged.
_LOOKS_BEFORE = 3

_NOBODY_MEASURES = "the bundle promises an accuracy, and nothing here can measure it"


async def not_judged(_camera: str) -> None:
    """Where nobody judges pictures, one must only come."""


@dataclass(frozen=True, slots=True)
class Judges:
    """`promised`, here and below: what the bundle of an app promises of its accuracy, empty for all else."""

    picture_faults: PictureFaults = not_judged
    measure: Measure | None = None

    async def before(self, camera: str, promised: Mapping[str, float]) -> tuple[dict[str, Any], str | None]:
        """What to remember, and why this camera had better be left alone. Raises `cameras.errors` and FleetError."""
        for _look in range(_LOOKS_BEFORE):
            if (picture := await self.picture_faults(camera)) is not None:
                break
        kept: dict[str, Any] = {"picture faults": None if picture is None else list(picture), "accuracy": None}
        if not promised:
            return kept, None
        if self.measure is None:
            return kept, _NOBODY_MEASURES
        try:
            measured = await self.measure(camera, model_gate.seconds(promised))
        except (Garbled, Unsupported):  # it tells nothing of what it sees yet: the app may be its first
            return kept, None
        except AnalyticsError as error:
            return kept, f"its accuracy cannot be measured: {error}"
        return kept | {"accuracy": measured.plain()}, model_gate.too_little(promised, measured)

    async def picture_after(self, camera: str, before: Mapping[str, Any]) -> list[str]:
        """What ails the picture now and did not before. What could not be judged before need not be now."""
        was = before.get("picture faults")
        if was is None:
            return []
        now = await self.picture_faults(camera)
        if now is None:
            return ["picture: it could be judged before, and can no longer be judged"]
        return [f"picture: {fault}, which it was not before" for fault in sorted(set(now) - set(was))]

    async def accuracy_after(self, camera: str, promised: Mapping[str, float], before: Mapping[str, Any]) -> list[str]:
        """What of the promise is not kept. Raises `cameras.errors` and FleetError."""
        if not promised:
            return []
        if self.measure is None:
            return [_NOBODY_MEASURES]
        earlier = before.get("accuracy")
        try:
            now = await self.measure(camera, model_gate.seconds(promised))
        except AnalyticsError as error:
            return [f"its accuracy cannot be measured: {error}"]
        return model_gate.unkept(promised, Measurement.from_plain(earlier) if earlier else None, now)
