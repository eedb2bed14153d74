# Copyright (c) 2026, Camwarden
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module of this collection says of the service that it talks to."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  url:
    description:
      - Where the service answers, for example V(https://camwarden.example:8080).
      - If not set, the environment variable E(CW_URL) is taken.
      - Plain HTTP is taken only for this very machine, because the token would travel in the clear.
    type: str
    required: true
  token:
    description:
      - A token of the service, as C(camwarden token create) prints it.
      - If neither this nor O(token_file) is set, the environment variable E(CW_TOKEN) is taken.
    type: str
  token_file:
    description:
      - A file on the controller that holds the token and nothing else.
    type: path
  validate_certs:
    description:
      - Whether the certificate of the service is verified.
    type: bool
    default: true
  ca_path:
    description:
      - A PEM file with the authority that signed the certificate of the service.
    type: path
  timeout:
    description:
      - How many seconds one request may take.
    type: int
    default: 30
notes:
  - One call serves all hosts of the play at once. The first host that comes to the task does the work, the others read
    their own result. So C(when) does not narrow it. Narrow the play with C(hosts) or C(--limit) instead.
  - Arguments must be the same for all hosts of the play. Use one play per site where baselines differ.
    Loops are refused.
  - A host is the camera that its variable C(camwarden_id) names (the inventory plugin sets it), else the one camera
    with its C(ansible_host) or its name as address, C(address:port), name, serial number or MAC address.
"""
