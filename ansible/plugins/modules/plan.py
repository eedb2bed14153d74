# Copyright (c) 2026, Camwarden
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Look at all cameras of the play and say what would be changed
version_added: 0.1.0
author:
  - Camwarden (@camwarden)
description:
  - Makes one plan for the whole play and waits until every camera was looked at. No camera is changed.
  - The plan awaits approval afterwards, in the console or by M(camwarden.estate.apply), for a day.
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
    description: Before and after of each camera that is to be changed.
    support: full
seealso:
  - module: camwarden.estate.apply
"""

EXAMPLES = r"""
- name: Look at the cameras
  camwarden.estate.plan:
    baseline: strict
  register: planned

- name: The same, with what only this site knows
  camwarden.estate.plan:
    baseline: strict
    overrides: "{{ lookup('ansible.builtin.file', 'site-hq.yaml') }}"
"""

RETURN = r"""
plan:
  description: The plan. It is one for all hosts of the play.
  returned: success
  type: dict
  sample: {"id": "0197...", "state": "awaiting-approval", "baseline": "strict", "etag": "\"5c1f...\"", "drifting": 2}
would_change:
  description: Whether anything would be sent to this camera.
  returned: success
  type: bool
  sample: true
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
