"""Keeps what every task said of every host, as JSON: for tests that look at results and not at a screen."""

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase  # type: ignore[import-untyped] # Ansible has no annotations


class CallbackModule(CallbackBase):  # type: ignore[misc] # as above
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "kept"

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[dict[str, Any]] = []

    def v2_runner_on_ok(self, result: Any) -> None:  # noqa: ANN401 - Ansible's
        self._keep(result, "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # noqa: ANN401, ARG002, FBT002 - Ansible's
        self._keep(result, "failed")

    def v2_runner_on_skipped(self, result: Any) -> None:  # noqa: ANN401 - Ansible's
        self._keep(result, "skipped")

    def _keep(self, result: Any, how: str) -> None:  # noqa: ANN401 - Ansible's
        host, task = result._host.get_name(), result._task.get_name()  # noqa: SLF001 - so also before 2.19
        self._kept.append({"host": host, "task": task, "how": how, "result": result._result})  # noqa: SLF001

    def v2_playbook_on_stats(self, _stats: object) -> None:
        Path(os.environ["KEPT_RESULTS"]).write_text(json.dumps(self._kept, default=str))
