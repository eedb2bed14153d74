"""Where the pictures of an estate are drawn: few scenes in memory at a time, in threads, and only when asked for."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from simulator.plan import CameraPlan, Week
from simulator.scenes.timeline import PicturePlan

if TYPE_CHECKING:
    from simulator.scenes import Scene, Thing, View

MOST_SCENES = 12
THREADS = 2
BUCKET_S = 0.2
JPEG_QUALITY = 85
SEEN_BY_ANALYTICS = (320, 180)
Result = TypeVar("Result")
Size = tuple[int, int]


class Studio:
    """One per estate. `week` is its time; what blocks is called through `work`."""

    def __init__(self, week: Week, stream_fps: float | None) -> None:
        self.week = week
        self.stream_fps = stream_fps
        self._threads: ThreadPoolExecutor | None = None
        self._scenes: OrderedDict[int, tuple[Scene, Lock]] = OrderedDict()
        self._snapshots: OrderedDict[tuple[str, PicturePlan, Size], tuple[int, bytes]] = OrderedDict()
        self._guard = Lock()

    def now_s(self) -> float:
        """The second of the scenes' week."""
        return self.week.at(time.time())

    async def work(self, do: Callable[[], Result]) -> Result:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="studio")
        return await asyncio.get_running_loop().run_in_executor(self._threads, do)

    async def close(self) -> None:
        threads, self._threads = self._threads, None
        if threads is not None:
            end = partial(threads.shutdown, cancel_futures=True)
            await asyncio.get_running_loop().run_in_executor(None, end)

    # --- these block ---

    def view(self, plan: CameraPlan, t_s: float, size: Size) -> "View":
        scene, lock = self._scene(plan)
        picture = _picture_of(plan)
        with lock:
            return scene.view(t_s, size=size, faults=picture.faults_at(t_s), benign=picture.benign_at(t_s))

    def things(self, plan: CameraPlan, t_s: float) -> "tuple[Thing, ...]":
        """The truth in a small picture, for the camera's analytics."""
        scene, lock = self._scene(plan)
        picture = _picture_of(plan)
        faults, benign = picture.faults_at(t_s), picture.benign_at(t_s)
        with lock:
            return scene.things(t_s, size=SEEN_BY_ANALYTICS, faults=faults, benign=benign)

    def snapshot(self, plan: CameraPlan, size: Size) -> bytes:
        """A JPEG; the same one for whoever asks within a moment, unless something befell the picture in it."""
        import cv2  # noqa: PLC0415 - a simulator that never draws does not pay for it

        bucket = int(time.time() / BUCKET_S)
        key = (plan.serial, _picture_of(plan), size)
        with self._guard:
            kept = self._snapshots.get(key)
        if kept is not None and kept[0] == bucket:
            return kept[1]
        view = self.view(plan, self.week.at(bucket * BUCKET_S), size)
        done, encoded = cv2.imencode(".jpg", view.picture, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
        if not done:
            raise RuntimeError("the picture could not be written as JPEG")
        jpeg = encoded.tobytes()
        with self._guard:
            self._snapshots[key] = (bucket, jpeg)
            while len(self._snapshots) > MOST_SCENES:
                self._snapshots.popitem(last=False)
        return jpeg

    def _scene(self, plan: CameraPlan) -> "tuple[Scene, Lock]":
        from simulator.scenes import Scene  # noqa: PLC0415 - as above

        seed = _picture_of(plan).scene
        with self._guard:
            found = self._scenes.get(seed)
            if found is None:
                found = self._scenes[seed] = (Scene(seed, clock=True), Lock())
            self._scenes.move_to_end(seed)
            while len(self._scenes) > MOST_SCENES:
                self._scenes.popitem(last=False)
        return found


def _picture_of(plan: CameraPlan) -> PicturePlan:
    if plan.picture is None:
        raise ValueError(f"{plan.address} shows no scene")
    return plan.picture
