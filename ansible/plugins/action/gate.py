# Copyright (c) 2026, Camwarden
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pipeline ends here where a camera drifts from its baseline, or has findings that are too bad."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ansible_collections.camwarden.estate.plugins.module_utils.client import ServiceError
from ansible_collections.camwarden.estate.plugins.module_utils.plans import settings
from ansible_collections.camwarden.estate.plugins.plugin_utils.batch import WAIT, BatchAction, failed
from ansible_collections.camwarden.estate.plugins.plugin_utils.planning import (
    cameras_of,
    make_plan,
    withdraw,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from ansible_collections.camwarden.estate.plugins.module_utils.client import Service

SEVERITIES = ("critical", "high", "medium", "low")
LIVE = ("open", "acknowledged")
REPORTS = {"sarif": "reports/estate.sarif", "junit": "reports/estate.xml"}
_TOLD = ("id", "check", "title", "subject", "severity", "state", "summary")


class ActionModule(BatchAction):
    SPEC: ClassVar[Mapping[str, Any]] = {
        "baseline": {"type": "str"},
        "overrides": {"type": "str", "default": ""},
        "fail_on": {"type": "str", "choices": [*SEVERITIES, "never"], "default": "high"},
        "sarif": {"type": "path"},
        "junit": {"type": "path"},
        **WAIT,
    }

    def work(self, service: Service, options: Mapping[str, Any], hosts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        drift = _drift(service, options, hosts) if options["baseline"] else {}
        findings = _findings(service, options["fail_on"], set(hosts.values()))
        files = {} if self.is_check else _write(service, options)
        return {host: _result(findings.get(camera, []), drift.get(camera, []), files) for host, camera in hosts.items()}


def _drift(service: Service, options: Mapping[str, Any], hosts: Mapping[str, str]) -> dict[str, list[str]]:
    view, _tag = make_plan(service, options, hosts.values())
    found = {one: settings(camera, order="drift") for one, camera in cameras_of(service, view["id"]).items()}
    withdraw(service, view["id"])
    return found


def _findings(service: Service, fail_on: str, cameras: set[str]) -> dict[str, list[dict[str, Any]]]:
    """The live findings at or above the threshold, by camera. What somebody accepted is not live."""
    if fail_on == "never":
        return {}
    found: dict[str, list[dict[str, Any]]] = {}
    for severity in SEVERITIES[: SEVERITIES.index(fail_on) + 1]:
        for state in LIVE:
            for one in service.pages("findings", severity=severity, state=state):
                if one["camera"] in cameras:
                    found.setdefault(one["camera"], []).append({name: one[name] for name in _TOLD})
    return found


def _write(service: Service, options: Mapping[str, Any]) -> dict[str, str]:
    """Whole or not at all, and before anything fails: a pipeline shows them because it failed."""
    written = {}
    for name, path in REPORTS.items():
        if not options[name]:
            continue
        target = Path(options[name]).absolute()
        content = service.raw(path)
        try:
            handle, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(draft).chmod(0o644)
            Path(draft).replace(target)
        except OSError as error:
            raise ServiceError(f"{name} cannot be written to {target} ({error.strerror})") from error
        written[name] = str(target)
    return written


def _result(findings: list[dict[str, Any]], drift: list[str], files: Mapping[str, str]) -> dict[str, Any]:
    result = {"changed": False, "findings": findings, "drift": drift, "files": files}
    why = ["drift: {}".format(", ".join(drift))] if drift else []
    why += ["{}: {}".format(one["severity"], one["summary"]) for one in findings]
    return {**failed("; ".join(why)), **result} if why else result
