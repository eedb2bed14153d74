# Copyright (c) 2026, Camwarden
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task that is done once for all hosts of the play, although Ansible comes by once per host.

Each host is a process of its own. The first that comes takes the lock, does the work, and lays down a result for every
host, in the folder that Ansible makes for this run alone and removes after it. The others find theirs there.

With `run_once` one process comes by for all of them: it answers with everybody's results in one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from pathlib import Path

from ansible import constants as C  # noqa: N812 - as all of Ansible calls it
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.camwarden.estate.plugins.module_utils.client import CONNECTION, ServiceError, service_of
from ansible_collections.camwarden.estate.plugins.plugin_utils.cameras import Directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from ansible_collections.camwarden.estate.plugins.module_utils.client import Service

MOST_HOSTS = 5000
MOST_TOLD = 10
SHARED = ("plan", "diff")
WAIT = {"wait_timeout": {"type": "int", "default": 1800}}


class BatchAction(ActionBase):
    """`work` is given the camera's id of each host that has one, and answers with the result of each."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False
    SPEC: ClassVar[Mapping[str, Any]] = {}

    def work(self, service: Service, options: Mapping[str, Any], hosts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        raise NotImplementedError

    @property
    def is_check(self) -> bool:
        return bool(self._task.check_mode)

    @property
    def wants_diff(self) -> bool:
        return bool(self._task.diff)

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        if self._task.loop:
            raise AnsibleActionFail("this task acts for all hosts of the play at once, so it takes no loop")
        _checked, options = self.validate_argument_spec({**CONNECTION, **self.SPEC})
        host = task_vars["inventory_hostname"]
        once = self._task.run_once
        result.update(together(self._all(host, options, task_vars)) if once else self._mine(host, options, task_vars))
        return result

    def _mine(self, host: str, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        folder = Path(C.DEFAULT_LOCAL_TMP) / (f"camwarden-{hashlib.sha256(self._task._uuid.encode()).hexdigest()}")
        folder.mkdir(mode=0o700, exist_ok=True)
        asked = hashlib.sha256(repr(sorted(options.items())).encode()).hexdigest()
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            mine = _slice(folder, host)
            # One that was taken is gone: `until` comes again, and the work is done again.
            if not mine.exists():
                for other, result in self._all(host, options, task_vars).items():
                    _slice(folder, other).write_text(json.dumps({"asked": asked, "result": result}), encoding="utf-8")
            kept = json.loads(mine.read_text(encoding="utf-8"))
            mine.unlink()
        if kept["asked"] != asked:
            raise AnsibleActionFail(
                "the arguments of this task differ between the hosts of the play; use one play for each group of hosts"
            )
        found: dict[str, Any] = kept["result"]
        return found

    def _all(self, host: str, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        names = list(dict.fromkeys([*map(str, task_vars["ansible_play_batch"]), host]))
        if len(names) > MOST_HOSTS:
            raise AnsibleActionFail(f"a play may have {MOST_HOSTS} hosts; use serial or --limit")
        try:
            service = service_of(options)
            directory = Directory(service.pages("cameras"))
            places = {name: directory.find(name, task_vars["hostvars"][name]) for name in names}
            hosts = {name: camera for name, (camera, _why) in places.items() if camera}
            done = self.work(service, options, hosts) if hosts else {}
        except ServiceError as error:
            return {name: failed(str(error)) for name in names}
        return {name: done[name] if name in done else failed(places[name][1]) for name in names}


def together(results: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """One result for a task that runs once: what is the same for all hosts, and each host's own under `hosts`."""
    plans = [one["plan"] for one in results.values() if "plan" in one]
    diffs = [one["diff"] for one in results.values() if "diff" in one]
    bad = {host: one["msg"] for host, one in results.items() if one.get("failed")}
    hosts = {host: {key: value for key, value in one.items() if key not in SHARED} for host, one in results.items()}
    found = {"changed": any(one["changed"] for one in results.values()), "hosts": hosts}
    found |= {"plan": plans[0]} if plans else {}
    found |= {"diff": diffs} if diffs else {}
    return {**failed(_words(bad, len(results))), **found} if bad else found


def _words(bad: Mapping[str, str], count: int) -> str:
    told = [f"{host}: {why}" for host, why in list(bad.items())[:MOST_TOLD]]
    more = [f"and {len(bad) - MOST_TOLD} more"] if len(bad) > MOST_TOLD else []
    return f"{len(bad)} of {count} hosts: {'; '.join([*told, *more])}"


def failed(why: str, **more: Any) -> dict[str, Any]:
    return {"changed": False, **more, "failed": True, "msg": why}


def _slice(folder: Path, host: str) -> Path:
    return folder / (f"{hashlib.sha256(host.encode()).hexdigest()}.json")
