# Copyright (c) 2026, Camwarden
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan for all hosts of a play."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import quote

from ansible_collections.camwarden.estate.plugins.module_utils.client import ServiceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ansible_collections.camwarden.estate.plugins.module_utils.client import Service

BASELINE = {"baseline": {"type": "str", "required": True}, "overrides": {"type": "str", "default": ""}}


def make_plan(service: Service, options: Mapping[str, Any], cameras: Iterable[str]) -> tuple[dict[str, Any], str]:
    """A new plan once its cameras were looked at, and its entity tag."""
    asked = {"baseline": options["baseline"], "overrides": options["overrides"], "cameras": sorted(set(cameras))}
    made = service.post("plans", asked)
    view, tag = service.settled(made["id"], options["wait_timeout"])
    if view["state"] != "awaiting-approval":
        raise ServiceError(
            "plan {} is {}: {}".format(view["id"], view["state"], view["error"] or "look in the console")
        )
    return view, tag


def cameras_of(service: Service, plan: str) -> dict[str, dict[str, Any]]:
    """The cameras of a plan by their ids."""
    return {one["camera"]: one for one in service.pages("plans/{}/cameras".format(quote(plan, safe="")))}


def withdraw(service: Service, plan: str) -> None:
    """A plan that was made for looking only. Where it cannot be stopped, it expires; what was seen still counts."""
    with suppress(ServiceError):
        service.post("plans/{}/stop".format(quote(plan, safe="")))
