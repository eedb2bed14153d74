# Copyright (c) 2026, Camwarden
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan of the service, told host by host. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

WAITING, DONE = "waiting", "done"
# A step that was to be changed and ended in one of these left the camera other than the plan promised.
SHORT = ("stale", "refused", "undone", "failed", "skipped")


def about_plan(view: Mapping[str, Any], tag: str) -> dict[str, Any]:
    kept = ("id", "state", "baseline", "digest", "created_at", "expires_at", "drifting", "unknown", "error")
    return {**{name: view.get(name) for name in kept}, "etag": tag}


def about_camera(camera: Mapping[str, Any]) -> dict[str, Any]:
    """The whole state, also where nothing is to be changed."""
    return {
        "camera": {name: camera[name] for name in ("address", "port", "name", "state", "reason", "proof")}
        | {"id": camera["camera"]},
        "steps": camera["steps"],
        "drift": settings(camera, order="drift"),
        "unknown": settings(camera, order="unknown"),
    }


def settings(camera: Mapping[str, Any], **wanted: str) -> list[str]:
    """The settings whose steps have these values."""
    return [s["setting"] for s in camera["steps"] if all(s[key] == value for key, value in wanted.items())]


def would_change(camera: Mapping[str, Any]) -> bool:
    """Whether anything would be sent. What the camera cannot change drifts, but nothing is sent for it."""
    return bool(settings(camera, state=WAITING))


def difference(camera: Mapping[str, Any], only: Collection[str]) -> dict[str, str] | None:
    """Before and after of these settings, as Ansible shows them; `None` where they do not differ."""
    lines = [line for step in camera["steps"] if step["setting"] in only for line in step["diff"]]
    if not lines:
        return None
    name = "{} ({}:{})".format(camera["name"], camera["address"], camera["port"])
    return {
        "before_header": name,
        "after_header": name,
        "before": _text(lines, "- "),
        "after": _text(lines, "+ "),
    }


def _text(lines: Sequence[str], mark: str) -> str:
    return "".join(line[len(mark) :] + "\n" for line in lines if line.startswith(mark))


def fell_short(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What was promised of this camera and did not come true, in words."""
    promised = settings(before, state=WAITING)
    steps = [s for s in now["steps"] if s["setting"] in promised and s["state"] in SHORT]
    words = ["{}: {}{}".format(s["setting"], s["state"], " - " + s["reason"] if s["reason"] else "") for s in steps]
    if now["state"] != DONE:
        words.insert(0, "the camera is {}{}".format(now["state"], " - " + now["reason"] if now["reason"] else ""))
    return words
