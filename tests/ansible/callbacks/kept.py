"""Keeps what every task said of every host, as JSON: for tests that look at results and not at a screen."""

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "kept"

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[dict[str, Any]] = []

    def v2_runner_on_ok(self, result: Any) -> None:
        self._keep(result, "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._keep(result, "failed")

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._keep(result, "skipped")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._keep(result, "unreachable")

    def _keep(self, result: Any, how: str) -> None:
        self._kept.append(
            {
                "host": result.host.get_name() if hasattr(result, "host") else result._host.get_name(),
                "task": result.task.get_name() if hasattr(result, "task") else result._task.get_name(),
                "how": how,
                "result": result.result if hasattr(result, "result") else result._result,
            }
        )

    def v2_playbook_on_stats(self, _stats: Any) -> None:
        Path(os.environ["KEPT_RESULTS"]).write_text(json.dumps(self._kept, default=str))
