# Copyright (c) 2026, Camwarden
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apply
short_description: Apply a plan to all cameras of the play, and prove it
version_added: 0.1.0
author:
  - Camwarden (@camwarden)
description:
  - Applies one plan, camera by camera and step by step. The service proves each step over a fresh connection and takes
    back what it cannot prove.
  - A host fails where its camera did not become what the plan promised.
  - The plan must be for exactly the hosts of this play.
options:
  plan:
    description:
      - The id of the plan, as M(camwarden.estate.plan) returns it.
    type: str
    required: true
  etag:
    description:
      - The entity tag of the plan that was looked at. A plan that has changed since is not approved.
    type: str
  approve:
    description:
      - Whether a plan that still awaits approval is approved here. If not, the task fails until a person has approved
        it.
    type: bool
    default: false
  wait_timeout:
    description:
      - How many seconds to wait until the service has gone through all cameras of the play.
    type: int
    default: 1800
extends_documentation_fragment:
  - camwarden.estate.service
attributes:
  check_mode:
    description: Nothing is approved or changed. What is predicted comes from the very plan that would be applied.
    support: full
  diff_mode:
    description: Before and after of each camera, only where they differ.
    support: full
seealso:
  - module: camwarden.estate.plan
"""

EXAMPLES = r"""
- name: Look at the cameras
  camwarden.estate.plan:
    baseline: strict
  register: planned

- name: Change them
  camwarden.estate.apply:
    plan: "{{ planned.plan.id }}"
    etag: "{{ planned.plan.etag }}"
    approve: true
"""

RETURN = r"""
plan:
  description: The plan. It is one for all hosts of the play.
  returned: success
  type: dict
  sample: {"id": "0197...", "state": "awaiting-approval", "baseline": "strict", "etag": "\"5c1f...\"", "drifting": 2}
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
