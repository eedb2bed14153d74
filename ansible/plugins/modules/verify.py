# Copyright (c) 2026, Camwarden
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: verify
short_description: Look at all cameras of the play again, and fail where one is other than wanted
version_added: 0.1.0
author:
  - Camwarden (@camwarden)
description:
  - Every camera is asked anew, over a fresh connection. No camera is changed.
  - A token that may change cameras withdraws the plan that was made for looking; any other leaves it to expire.
options:
  baseline:
    description:
      - What is wanted of every camera. A baseline that the service bundles, by its name (V(essential), V(strict)), or
        the YAML text of one.
    type: str
    required: true
  overrides:
    description:
      - YAML text of a site's overrides, which are laid over the baseline.
    type: str
    default: ""
  fail_on:
    description:
      - What fails a host. V(drift) is a setting that is other than wanted, V(unknown) one that could not be seen.
    type: list
    elements: str
    choices: [drift, unknown]
    default: [drift]
  wait_timeout:
    description:
      - How many seconds to wait until the service has gone through all cameras of the play.
    type: int
    default: 1800
extends_documentation_fragment:
  - camwarden.estate.service
attributes:
  check_mode:
    description: It changes nothing, so it does the same in check mode.
    support: full
  diff_mode:
    description: Before and after of each camera that drifts.
    support: full
"""

EXAMPLES = r"""
- name: Prove it
  camwarden.estate.verify:
    baseline: strict
    fail_on: [drift, unknown]
"""

RETURN = r"""
camera:
  description: The camera that this host is, and where it stands in the plan.
  returned: success
  type: dict
  sample: {"id": "0197...", "address": "10.0.0.5", "port": 443, "name": "hall", "state": "waiting", "reason": ""}
steps:
  description: Every setting of the baseline, also those that are in order and those that nobody could judge.
  returned: success
  type: list
  elements: dict
  sample: [{"setting": "http", "order": "drift", "state": "waiting", "diff": ["- http: on", "+ http: off"]}]
drift:
  description: The settings that are other than wanted.
  returned: success
  type: list
  elements: str
  sample: [http]
unknown:
  description: The settings that the camera did not let us see. Unknown is never a pass.
  returned: success
  type: list
  elements: str
  sample: []
hosts:
  description: The result of each host by its name, where one task answers for all of them.
  returned: with run_once
  type: dict
  sample: {"10.0.0.5": {"changed": false}}
"""
