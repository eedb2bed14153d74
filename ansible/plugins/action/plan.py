# Copyright (c) 2026, Camwarden
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One plan for the whole play: every camera is looked at, none is changed."""

from __future__ import annotations

from ansible_collections.camwarden.estate.plugins.module_utils.plans import (
    WAITING,
    about_camera,
    about_plan,
    difference,
    settings,
    would_change,
)
from ansible_collections.camwarden.estate.plugins.plugin_utils.batch import WAIT, BatchAction
from ansible_collections.camwarden.estate.plugins.plugin_utils.planning import BASELINE, cameras_of, make_plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from ansible_collections.camwarden.estate.plugins.module_utils.client import Service


class ActionModule(BatchAction):
    SPEC: ClassVar[Mapping[str, Any]] = {**BASELINE, **WAIT}

    def work(self, service: Service, options: Mapping[str, Any], hosts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        view, tag = make_plan(service, options, hosts.values())
        cameras = cameras_of(service, view["id"])
        return {host: self._result(about_plan(view, tag), cameras[camera]) for host, camera in hosts.items()}

    def _result(self, plan: Mapping[str, Any], camera: Mapping[str, Any]) -> dict[str, Any]:
        result = {"changed": False, "plan": plan, "would_change": would_change(camera), **about_camera(camera)}
        diff = difference(camera, settings(camera, state=WAITING)) if self.wants_diff else None
        return {**result, "diff": diff} if diff else result
