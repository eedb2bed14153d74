"""What one client plays of a camera: pictures and metadata as RTP inside its RTSP connection."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from functools import partial

from simulator.analytics import detections, document
from simulator.behaviour import DROPPED, AnalyticsPlan, Behaviour
from simulator.camera import Camera
from simulator.plan import CameraPlan
from simulator.scenes.model import light_at
from simulator.studio import SEEN_BY_ANALYTICS, Studio
from simulator.video import CLOCK_HZ, METADATA_TYPE, VIDEO_TYPE, Encoder, RtpSender

VIDEO, METADATA = 1, 2
TRACKS = (VIDEO, METADATA)
DOCUMENTS_PER_S = 5.0
MOST_WAITING_BYTES = 1024 * 1024
REPORT_EVERY_S = 5.0
Profile = tuple[int, int, int, int]


class Session:
    """Set up track by track, played, torn down. `heard` whenever the client says something."""

    TIMEOUT_S = 60

    def __init__(self, camera: Camera, studio: Studio, profile: Profile, transport: asyncio.Transport) -> None:
        self.id = secrets.token_hex(4)
        self.channels: dict[int, int] = {}
        self._camera = camera
        self._studio = studio
        self._size = profile[1:3]
        self._fps = studio.stream_fps or float(profile[3])
        self._transport = transport
        self._tasks: list[asyncio.Task[None]] = []
        self._senders = {
            VIDEO: RtpSender(VIDEO_TYPE, secrets.randbits(32), secrets.randbits(16)),
            METADATA: RtpSender(METADATA_TYPE, secrets.randbits(32), secrets.randbits(16)),
        }
        self._began = 0.0
        self._heard = 0.0

    def heard(self) -> None:
        self._heard = asyncio.get_running_loop().time()

    @property
    def playing(self) -> bool:
        return bool(self._tasks)

    def play(self) -> list[tuple[int, str]]:
        """Starts what is set up; where each track begins, for the answer's RTP-Info."""
        self.heard()
        loop = asyncio.get_running_loop()
        self._began = self._began or loop.time()
        works = {VIDEO: self._video, METADATA: self._metadata}
        if not self._tasks:
            self._tasks = [loop.create_task(works[track](channel)) for track, channel in self.channels.items()]
        stamp = self._timestamp()
        return [(track, f"seq={self._senders[track].sequence};rtptime={stamp}") for track in self.channels]

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()

    # --- what is sent ---

    async def _video(self, channel: int) -> None:
        encoder = await self._studio.work(partial(Encoder, self._size, self._fps))
        sender = self._senders[VIDEO]
        async for t_s, plan in self._moments(channel, sender, 1 / self._fps):
            if _sends_pictures(plan, t_s):
                stamp = self._timestamp()
                nals = await self._studio.work(partial(self._picture, encoder, plan, t_s, stamp))
                self._send(channel, sender.video(nals, stamp))

    async def _metadata(self, channel: int) -> None:
        sender, number = self._senders[METADATA], 0
        async for t_s, plan in self._moments(channel, sender, 1 / DOCUMENTS_PER_S):
            if plan.analytics is not None:
                stamp = self._timestamp()
                text = await self._studio.work(partial(self._document, plan, plan.analytics, t_s, number))
                self._send(channel, sender.document(text, stamp))
                number += 1

    async def _moments(
        self, channel: int, sender: RtpSender, every_s: float
    ) -> AsyncIterator[tuple[float, CameraPlan]]:
        """When it is time for the next one: never while the client has much to read still."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        report_due = due
        while loop.time() - self._heard < self.TIMEOUT_S * 1.25:
            if self._transport.get_write_buffer_size() < MOST_WAITING_BYTES:
                if loop.time() >= report_due:
                    self._send(channel + 1, [sender.report(time.time(), self._timestamp())])
                    report_due = loop.time() + REPORT_EVERY_S
                yield self._studio.now_s(), self._camera.plan
            due = max(due + every_s, loop.time() - every_s)
            await asyncio.sleep(max(0.0, due - loop.time()))
        self._transport.close()

    def _send(self, channel: int, packets: Iterable[bytes]) -> None:
        framed = [b"$" + bytes((channel,)) + len(packet).to_bytes(2, "big") + packet for packet in packets]
        self._transport.write(b"".join(framed))

    def _timestamp(self) -> int:
        return round((asyncio.get_running_loop().time() - self._began) * CLOCK_HZ) + CLOCK_HZ

    # --- in a thread ---

    def _picture(self, encoder: Encoder, plan: CameraPlan, t_s: float, timestamp: int) -> list[bytes]:
        return encoder.encode(self._studio.view(plan, t_s, self._size).picture, timestamp)

    def _document(self, plan: CameraPlan, analytics: AnalyticsPlan, t_s: float, number: int) -> bytes:
        faults = plan.picture.faults_at(t_s) if plan.picture is not None else ()
        found = detections(
            behaviour_of(plan, analytics, t_s),
            self._studio.things(plan, t_s),
            SEEN_BY_ANALYTICS,
            seed=plan.picture.scene if plan.picture is not None else 0,
            t_s=t_s,
            light=light_at(t_s),
            faults=faults,
        )
        return document(analytics, found, time.time() + plan.clock_offset_s, number=number)


def behaviour_of(plan: CameraPlan, analytics: AnalyticsPlan, t_s: float) -> Behaviour:
    """How the analytics see now: by the app that runs, where one is installed; worse under a spoiling firmware."""
    app = next((app for app in plan.apps if app.running), None)
    if app is None and plan.apps:
        return Behaviour(0.0, 0.0)
    sees = analytics.at(t_s) if app is None else analytics.at(t_s, version=app.version, told=app.behaviour)
    if plan.defect == "analytics-drop":
        sees = replace(sees, recall=sees.recall * DROPPED)
    return sees


def _sends_pictures(plan: CameraPlan, t_s: float) -> bool:
    if plan.defect == "no-picture" or plan.picture is None:
        return False
    return not any(fault.name == "frozen" and fault.variant == "stopped" for fault in plan.picture.faults_at(t_s))
