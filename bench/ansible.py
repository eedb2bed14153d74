"""A play for many hosts in check mode: the collection beside a module that Ansible starts once per host.

All read the same plan of the same service. `module_ratio` compares the wall time of the whole `ansible-playbook`, start
and inventory included, with the same number of forks: of the module and of our task with `run_once`, which answers for
every host in one. `each_ratio` is of our task as every host has its own result. `floor_ratio` is the time of that one
divided by that of a play that only says a word on every host (1 would be that limit).
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.process import ROOT, Run, run
from bench.table import ratio, row_of, show

HOSTS, QUICK_HOSTS = 100, 50
FORKS = 10
_LIMIT_S = 300.0
_PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - {task}
"""
_OURS = '{{camwarden.estate.apply: {{url: "{url}", token_file: "{token}", plan: "{plan}"}}}}'
# What it answered is looked at in the same play: each of its hosts would be changed.
_ONCE = f"""{_OURS[:-2]}, run_once: true, register: applied}}}}
    - ansible.builtin.debug:
        msg: "{{{{{{{{ applied.hosts.values() | selectattr('changed') | length }}}}}}}} would be changed"
      run_once: true"""
_PEER = (
    '{{camera_plan: {{url: "{url}", token_file: "{token}", plan: "{plan}", '
    'number: "{{{{ ansible_play_hosts_all.index(inventory_hostname) }}}}"}}}}'
)


def measure(*, quick: bool, sizes: tuple[int, ...] | None) -> dict[str, Any]:
    hosts = sizes[0] if sizes else QUICK_HOSTS if quick else HOSTS
    with tempfile.TemporaryDirectory(prefix="camwarden-bench-") as name, _service(Path(name), hosts) as told:
        folder = Path(name)
        once, ours = _play(folder, told, "once", _ONCE), _play(folder, told, "ours", _OURS)
        peer = _play(folder, told, "module", _PEER)
        floor = _play(folder, told, "floor", "ansible.builtin.debug: {{msg: a word}}")
    answered = hosts if f"{hosts} would be changed" in once.output else 0
    rows = [
        row_of("one plan, run_once", "camwarden.estate.apply", hosts, once, note=_told(once, answered, hosts)),
        row_of(
            "one plan, a result each", "camwarden.estate.apply", hosts, ours, note=_told(ours, _changed(ours), hosts)
        ),
        row_of("one module per host", "AnsiballZ", hosts, peer, note=_told(peer, _changed(peer), hosts)),
        row_of("a word per host", "ansible.builtin.debug", hosts, floor, note="the floor of Ansible itself"),
    ]
    show(f"ansible-playbook --check, {hosts} hosts, {FORKS} forks", rows, FOOTNOTES)
    every = {answered, _changed(ours), _changed(peer)} == {hosts}
    return {
        "hosts": hosts,
        "module_ratio": ratio(peer.seconds, once.seconds) if every else None,
        "each_ratio": ratio(peer.seconds, ours.seconds) if every else None,
        "each_cpu_ratio": ratio(peer.cpu_s, ours.cpu_s) if every else None,
        "floor_ratio": ratio(ours.seconds, floor.seconds) if every else None,
        "quick": quick,
    }


FOOTNOTES = (
    "The module asks the service once for its host, with the same client: the least that a module can do.",
    "Both runs include the start of Ansible and the inventory plugin. Above 1: ours is faster.",
)


def _play(folder: Path, told: dict[str, str], name: str, task: str) -> Run:
    words = {**told, "token": str(folder / "token")}
    (folder / f"{name}.yml").write_text(_PLAY.format(task=task.format(**words)))
    (folder / "camwarden.yml").write_text(
        f"plugin: camwarden.estate.estate\nurl: {told['url']}\ntoken_file: {words['token']}\n"
    )
    estate = folder / "ansible_collections" / "camwarden" / "estate"
    if not estate.exists():
        estate.parent.mkdir(parents=True)
        estate.symlink_to(ROOT / "ansible")
    variables = {
        "ANSIBLE_COLLECTIONS_PATH": str(folder),
        "ANSIBLE_FORKS": str(FORKS),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_INVENTORY_ENABLED": "camwarden.estate.estate",
        "ANSIBLE_LIBRARY": str(ROOT / "bench" / "peers" / "ansible_modules"),
        "ANSIBLE_NOCOLOR": "1",
        "HOME": str(folder),
        "NO_PROXY": "*",
    }
    program = str(Path(sys.executable).parent / "ansible-playbook")
    given = [f"{key}={value}" for key, value in variables.items()]
    return run(
        ["env", *given, program, "-i", "camwarden.yml", "--check", f"{name}.yml"],
        limit_s=_LIMIT_S,
        cwd=folder,
    )


def _changed(one: Run) -> int:
    """Hosts that the play says would be changed."""
    return one.output.count("changed=1")


def _told(one: Run, changed: int, hosts: int) -> str:
    said = f"{changed} of {hosts} would be changed"
    return said if changed == hosts else f"{said}: {one.output.strip()[-200:]}"


@contextmanager
def _service(folder: Path, hosts: int) -> Iterator[dict[str, str]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.ours.ansible_service", str(folder), str(hosts)],
        stdout=subprocess.PIPE,
        env=environment,
        cwd=ROOT,
    )
    try:
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise RuntimeError("the service did not start; its errors stand above")
        told: dict[str, str] = json.loads(line)
        yield told
    finally:
        process.terminate()
        process.communicate()
