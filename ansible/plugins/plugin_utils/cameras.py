# Copyright (c) 2026, Camwarden
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which camera of the service each host of the play is. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_NAMES = ("address", "name", "serial", "mac")


class Directory:
    """All cameras of the service, by id and by every name that a person gives them."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._ids: dict[str, Mapping[str, Any]] = {}
        self._names: dict[str, set[str]] = {}
        for row in rows:
            self._ids[row["id"]] = row
            for name in (*(row.get(key) for key in _NAMES), "{}:{}".format(row["address"], row["port"])):
                if name:
                    self._names.setdefault(name.lower(), set()).add(row["id"])

    def find(self, host: str, words: Mapping[str, Any]) -> tuple[str, str]:
        """The id of the camera and "", or "" and what is wrong. `words` are the variables of the host."""
        camera = words.get("camwarden_id")
        if camera:
            if camera in self._ids:
                return str(camera), ""
            return "", (
                f"the service knows no camera {camera}, which camwarden_id of host {host} names: it may be gone; read "
                "the inventory anew (--flush-cache)"
            )
        for name in (words.get("ansible_host"), host):
            found = self._names.get(str(name).lower(), set()) if name else set()
            if len(found) == 1:
                return next(iter(found)), ""
            if found:
                return "", f"several cameras of the service are called {name}; set camwarden_id for host {host}"
        return "", (
            f"host {host} is not known to the service: scan it first, or set camwarden_id (or ansible_host) to a "
            "camera that the console shows"
        )
