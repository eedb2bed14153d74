"""A browser's page, filmed: what it showed as a video, and all that it did as a trace of Playwright.

Playwright films only with a program of its own, which a system's browser does not bring: the pictures come from the
browser itself, and OpenCV, which is here anyway, makes a film of them.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import Page

PER_SECOND = 4
WIDTH = 960
LAST_S = 2.0


@contextmanager
def filmed(page: Page, folder: Path, *, always: bool) -> Iterator[None]:
    """Leaves `film.webm` and `trace.zip` there where the block fails, or `always`.

    `playwright show-trace trace.zip` opens the trace.
    """
    page.context.tracing.start(snapshots=True)
    frames: list[tuple[float, bytes]] = []
    camera = page.context.new_cdp_session(page)

    def keep(shown: dict[str, Any]) -> None:
        frames.append((shown["metadata"]["timestamp"], base64.b64decode(shown["data"])))
        camera.send("Page.screencastFrameAck", {"sessionId": shown["sessionId"]})

    camera.on("Page.screencastFrame", keep)
    camera.send("Page.startScreencast", {"format": "jpeg", "quality": 70, "maxWidth": WIDTH})
    wanted = always
    try:
        yield
    except BaseException:
        wanted = True
        raise
    finally:
        camera.send("Page.stopScreencast")
        if wanted:
            folder.mkdir(parents=True, exist_ok=True)
            _film(frames, folder / "film.webm")
        page.context.tracing.stop(path=folder / "trace.zip" if wanted else None)


def _film(frames: list[tuple[float, bytes]], file: Path) -> None:
    """Each picture stays until the next one came."""
    read = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for _, data in frames]
    pictures = [picture for picture in read if picture is not None]
    assert len(pictures) == len(frames)
    height, width = pictures[0].shape[:2]
    film = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"VP80"), PER_SECOND, (width, height))
    began, ends = frames[0][0], [*(at for at, _ in frames[1:]), frames[-1][0] + LAST_S]
    written = 0
    for picture, end in zip(pictures, ends, strict=True):
        while written < (end - began) * PER_SECOND:
            film.write(cv2.resize(picture, (width, height)))
            written += 1
    film.release()
