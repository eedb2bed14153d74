# Copyright (c) 2026, Camwarden
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cameras that the service keeps, as hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: estate
short_description: The cameras that Camwarden keeps, as hosts
version_added: 0.1.0
author:
  - Camwarden (@camwarden)
description:
  - Reads all cameras of the service, one request per page.
  - The file must be named V(camwarden.yml), V(camwarden.yaml), or end in V(.camwarden.yml) or V(.camwarden.yaml).
  - Without further options there are groups C(vendor_...), C(model_...), C(severity_...) (the worst live finding, or
    C(severity_none)), and C(site_...), where cameras of no site are in C(site_none).
  - Tasks run on the controller, in its own Python, because a camera runs none.
  - What a camera says of itself is never taken for a template.
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [camwarden.estate.estate]
  url:
    description: Where the service answers. Plain HTTP is taken only for this very machine.
    type: str
    required: true
    env:
      - name: CW_URL
  token:
    description: A token of the service with the scope C(read).
    type: str
    env:
      - name: CW_TOKEN
  token_file:
    description: A file that holds the token and nothing else.
    type: path
  validate_certs:
    description: Whether the certificate of the service is verified.
    type: bool
    default: true
  ca_path:
    description: A PEM file with the authority that signed the certificate of the service.
    type: path
  timeout:
    description: How many seconds one request may take.
    type: int
    default: 30
  page_size:
    description: How many cameras are asked for at once, at most 500.
    type: int
    default: 500
  hostname:
    description:
      - What a host is called. Where a camera lacks it, or shares it with another, its port and then its id stand
        behind.
    type: str
    choices: [address, name, serial, id]
    default: address
"""

EXAMPLES = r"""
# camwarden.yml
plugin: camwarden.estate.estate
url: https://camwarden.example:8080
keyed_groups:
  - key: camwarden_firmware
    prefix: firmware
groups:
  urgent: camwarden_score < 40
"""

import re
import sys
from collections import Counter

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.camwarden.estate.plugins.module_utils.client import ServiceError, service_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SUFFIXES = ("camwarden.yml", "camwarden.yaml")
GROUPS = {"vendor": "manufacturer", "model": "model", "severity": "worst", "site": "site"}
_OPTIONS = ("url", "token", "token_file", "validate_certs", "ca_path", "timeout")
_KEPT = (
    *("id", "name", "address", "port", "scheme", "manufacturer", "model", "firmware", "serial", "mac", "site"),
    *("score", "worst", "findings", "unknown", "first_seen", "last_seen"),
)


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    NAME = "camwarden.estate.estate"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and path.endswith(SUFFIXES)

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        key = self.get_cache_key(path)
        use_cache = self.get_option("cache") and cache
        rows = self._cache.get(key) if use_cache else None
        if rows is None:
            rows = self._asked()
            if self.get_option("cache"):
                self._cache[key] = rows
        for name, row in named(rows, self.get_option("hostname")).items():
            self._add(name, row)

    def _asked(self) -> list[dict[str, Any]]:
        try:
            service = service_of({name: self.get_option(name) for name in _OPTIONS})
            return list(service.pages("cameras", limit=max(1, min(500, self.get_option("page_size")))))
        except ServiceError as error:
            raise AnsibleParserError(str(error)) from error

    def _add(self, name: str, row: Mapping[str, Any]) -> None:
        self.inventory.add_host(name)
        values = {f"camwarden_{key}": row.get(key) for key in _KEPT}
        values["ansible_host"] = row["address"]
        values["ansible_connection"] = "local"
        values["ansible_python_interpreter"] = sys.executable
        for key, value in values.items():
            self.inventory.set_variable(name, key, value)
        for prefix, key in GROUPS.items():
            if key in row:
                group = self.inventory.add_group("{}_{}".format(prefix, word(row[key] or "none")))
                self.inventory.add_host(name, group=group)
        strict = self.get_option("strict")
        known = self.inventory.hosts[name].get_vars()
        self._set_composite_vars(self.get_option("compose"), known, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), known, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, name, strict=strict)


def word(text: str) -> str:
    """As a group may be called, whatever a camera says of itself."""
    return re.sub(r"[^a-z0-9]+", "_", str(text).lower()).strip("_")[:64] or "none"


def named(rows: list[dict[str, Any]], wish: str) -> dict[str, dict[str, Any]]:
    """Each camera once, under a name that is its own and that --limit can take."""
    names: dict[str, dict[str, Any]] = {}
    wanted = [re.sub(r"[^A-Za-z0-9._-]+", "_", str(row.get(wish) or "")).strip("_-")[:64] for row in rows]
    counted = Counter(wanted)
    for row, wish_of in zip(rows, wanted, strict=True):
        name = wish_of
        if not name or counted[name] > 1:
            name = "{}_{}".format(name or row["address"].replace(":", "_"), row["port"])
        names[name if name not in names else "{}_{}".format(name, row["id"])] = row
    return names
