# Copyright (c) 2026, Camwarden
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gate
short_description: Fail a pipeline on drift or on findings that are too bad
version_added: 0.1.0
author:
  - Camwarden (@camwarden)
description:
  - A host fails where its camera has a live finding (open or acknowledged) at or above O(fail_on), or, with
    O(baseline), where it drifts from that baseline.
  - Findings are those of the newest visit that the service keeps. Drift is looked up now.
options:
  baseline:
    description:
      - What is wanted of every camera, by name or as YAML text. Without it nothing is said of drift.
    type: str
  overrides:
    description:
      - YAML text of a site's overrides, which are laid over the baseline.
    type: str
    default: ""
  fail_on:
    description:
      - The mildest severity that fails a host. With V(never) only drift does.
    type: str
    choices: [critical, high, medium, low, never]
    default: high
  sarif:
    description:
      - Where a SARIF 2.1.0 file of the whole estate is written, also when the gate fails.
    type: path
  junit:
    description:
      - Where a JUnit file of the whole estate is written, also when the gate fails.
    type: path
  wait_timeout:
    description:
      - How many seconds to wait until the service has gone through all cameras of the play.
    type: int
    default: 1800
extends_documentation_fragment:
  - camwarden.estate.service
attributes:
  check_mode:
    description: It changes no camera, so it does the same in check mode, but writes no files.
    support: full
  diff_mode:
    description: It shows no difference.
    support: none
"""

EXAMPLES = r"""
- name: Fail on drift and on whatever is high or critical
  camwarden.estate.gate:
    baseline: strict
    fail_on: high
    sarif: cameras.sarif
    junit: cameras.xml
"""

RETURN = r"""
findings:
  description: The live findings at or above the threshold.
  returned: always
  type: list
  elements: dict
  sample: [{"id": "0197...", "check": "telnet-open", "severity": "high", "summary": "port 23 answers"}]
drift:
  description: The settings that are other than wanted.
  returned: always
  type: list
  elements: str
  sample: [http]
files:
  description: The files that were written.
  returned: success
  type: dict
  sample: {"sarif": "/builds/cameras.sarif"}
hosts:
  description: The result of each host by its name, where one task answers for all of them.
  returned: with run_once
  type: dict
  sample: {"10.0.0.5": {"changed": false}}
"""
