# Copyright (c) 2026, Camwarden
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan is applied to the cameras of the play, and each is proved; in check mode it says what would change."""

from __future__ import annotations

from urllib.parse import quote

from ansible_collections.camwarden.estate.plugins.module_utils.client import Changed, Refused, ServiceError
from ansible_collections.camwarden.estate.plugins.module_utils.plans import (
    DONE,
    WAITING,
    about_camera,
    about_plan,
    difference,
    fell_short,
    settings,
    would_change,
)
from ansible_collections.camwarden.estate.plugins.plugin_utils.batch import WAIT, BatchAction, failed
from ansible_collections.camwarden.estate.plugins.plugin_utils.planning import cameras_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from ansible_collections.camwarden.estate.plugins.module_utils.client import Service

STALE = "plan %s is stale (%s): make a new one, and look at it before it is approved"
NOT_APPROVED = "plan %s is not approved, and nothing was changed: %s. Once it is approved, apply this same plan"


class ActionModule(BatchAction):
    SPEC: ClassVar[Mapping[str, Any]] = {
        "plan": {"type": "str", "required": True},
        "etag": {"type": "str"},
        "approve": {"type": "bool", "default": False},
        **WAIT,
    }

    def work(self, service: Service, options: Mapping[str, Any], hosts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        plan = options["plan"]
        view, tag = service.settled(plan, options["wait_timeout"])
        before = cameras_of(service, plan)
        _check_hosts(plan, before, hosts)
        if self.is_check or view["state"] == DONE or not any(map(would_change, before.values())):
            about = about_plan(view, tag)
            return {host: self._predicted(about, before[camera]) for host, camera in hosts.items()}
        self._approve(service, view, options, tag)
        view, tag = _applied(service, plan, options["wait_timeout"])
        after, about = cameras_of(service, plan), about_plan(view, tag)
        return {host: self._ended(about, before[camera], after[camera]) for host, camera in hosts.items()}

    def _approve(self, service: Service, view: Mapping[str, Any], options: Mapping[str, Any], tag: str) -> None:
        plan = view["id"]
        if view["state"] == "expired":
            raise ServiceError(STALE % (plan, "nobody started it within a day"))
        if view["state"] == "approved":
            return
        if view["state"] != "awaiting-approval":
            raise ServiceError("plan {} is {}, so it cannot be applied; make a new one".format(plan, view["state"]))
        if not options["approve"]:
            raise ServiceError(f"plan {plan} awaits approval: approve it in the console, or set approve: true")
        try:
            service.post("plans/{}/approve".format(quote(plan, safe="")), tag=options["etag"] or tag)
        except Changed as error:
            raise ServiceError(STALE % (plan, error)) from None
        except Refused as error:
            raise ServiceError(NOT_APPROVED % (plan, error)) from None

    def _predicted(self, plan: Mapping[str, Any], camera: Mapping[str, Any]) -> dict[str, Any]:
        waiting = settings(camera, state=WAITING)
        return self._with_diff({"changed": bool(waiting), "plan": plan, **about_camera(camera)}, camera, waiting)

    def _ended(self, plan: Mapping[str, Any], before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
        done = [name for name in settings(now, state=DONE) if name in settings(before, state=WAITING)]
        result = self._with_diff({"changed": bool(done), "plan": plan, **about_camera(now)}, now, done)
        if not would_change(before):
            return result
        short = fell_short(before, now)
        return {**failed("; ".join(short)), **result} if short else result

    def _with_diff(self, result: dict[str, Any], camera: Mapping[str, Any], changed: list[str]) -> dict[str, Any]:
        diff = difference(camera, changed) if self.wants_diff else None
        return {**result, "diff": diff} if diff else result


def _check_hosts(plan: str, cameras: Mapping[str, Any], hosts: Mapping[str, str]) -> None:
    """What is applied is applied to the hosts of this play, all of them and nobody else."""
    names = {camera: host for host, camera in hosts.items()}
    beside = [one for one in cameras if one not in names]
    if beside:
        raise ServiceError(
            f"plan {plan} is also for {len(beside)} cameras that are not (or no longer) hosts of this play, for "
            f"example {cameras[beside[0]]['address']}; make a plan for these hosts"
        )
    missing = [host for camera, host in names.items() if camera not in cameras]
    if missing:
        raise ServiceError(f"plan {plan} is not for host {missing[0]}; make a plan for these hosts")


def _applied(service: Service, plan: str, patience_s: float) -> tuple[dict[str, Any], str]:
    try:
        service.post("plans/{}/apply".format(quote(plan, safe="")))
    except Changed as error:
        raise ServiceError(STALE % (plan, error)) from None
    return service.settled(plan, patience_s)
