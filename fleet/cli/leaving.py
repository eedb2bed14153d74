"""How the service ends: what is under way may come to its end, but not for ever, and not against a second word."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from fleet.cli import screen
from fleet.cli.outcomes import ExitCode
from fleet.cli.sd_notify import Notify
from fleet.service import Service

# For what is closed around the steps: connections, the last rows.
_MORE_S = 10.0
_BY_SIGNAL = 128


class Leaving:
    """The first signal begins the end, the second is the end. What is left then stands in the store."""

    def __init__(self, service: Service, notify: Notify, stop: Callable[[], None]) -> None:
        self._service = service
        self._notify = notify
        self._stop = stop
        self._begun = False

    def listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._told, number)

    def _told(self, number: signal.Signals) -> None:
        if self._begun:
            self._at_once(f"a second {number.name}", _BY_SIGNAL + number)
        self._begun = True
        bound_s = self._service.settings.stop_seconds + _MORE_S
        self._notify.stopping(bound_s)
        left = self._left()
        screen.note("Stopping" + (f": {left} may finish the step that is under way" if left else ""))
        asyncio.get_running_loop().call_later(bound_s, self._at_once, "no time is left (stop_seconds)", ExitCode.GOOD)
        self._stop()

    def _left(self) -> str:
        counts = {name: count() for name, count in self._service.at_work.items()}
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count)

    def _at_once(self, why: str, code: int) -> NoReturn:
        """As a crash ends us, which everything that is stored is made for."""
        screen.note(f"Stopped at once: {why}. Left to the next start: {self._left() or 'nothing'}")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
