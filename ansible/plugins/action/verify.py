# Copyright (c) 2026, Camwarden
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every camera of the play is looked at again, and a host fails where its camera is other than wanted."""

from __future__ import annotations

from ansible_collections.camwarden.estate.plugins.module_utils.plans import about_camera, difference
from ansible_collections.camwarden.estate.plugins.plugin_utils.batch import WAIT, BatchAction, failed
from ansible_collections.camwarden.estate.plugins.plugin_utils.planning import (
    BASELINE,
    cameras_of,
    make_plan,
    withdraw,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from ansible_collections.camwarden.estate.plugins.module_utils.client import Service


class ActionModule(BatchAction):
    SPEC: ClassVar[Mapping[str, Any]] = {
        **BASELINE,
        "fail_on": {"type": "list", "elements": "str", "choices": ["drift", "unknown"], "default": ["drift"]},
        **WAIT,
    }

    def work(self, service: Service, options: Mapping[str, Any], hosts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        view, _tag = make_plan(service, options, hosts.values())
        cameras = cameras_of(service, view["id"])
        withdraw(service, view["id"])
        return {host: self._result(cameras[camera], options["fail_on"]) for host, camera in hosts.items()}

    def _result(self, camera: Mapping[str, Any], fail_on: list[str]) -> dict[str, Any]:
        result = {"changed": False, **about_camera(camera)}
        diff = difference(camera, result["drift"]) if self.wants_diff else None
        if diff:
            result["diff"] = diff
        why = ["{}: {}".format(kind, ", ".join(result[kind])) for kind in fail_on if result[kind]]
        return {**failed("; ".join(why)), **result} if why else result
