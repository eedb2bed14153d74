"""`make/need`: what is missing is installed where we may, told where we may not, and never passed over in CI."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TELLS = (
    "nmap is missing: open ports are found, but not which program answers there. Install it: sudo apt-get install nmap"
)


def script(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The programs of a machine without nmap; apt-get writes down what it was asked for."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "env", "sh", "chmod", "true"):
        (programs / name).symlink_to(shutil.which(name) or name)
    script(programs, "sudo", "exit 1")
    script(programs, "id", "echo 1000")
    return programs


def is_root(programs: Path) -> None:
    script(programs, "id", "echo 0")


def has_sudo(programs: Path) -> None:
    script(programs, "sudo", 'shift\nexec "$@"')


def has_apt(programs: Path) -> None:
    """It installs the last word it is given."""
    script(
        programs,
        "apt-get",
        f'echo "$DEBIAN_FRONTEND $*" >> {programs}/asked\nfor last; do :; done\n'
        f'case "$*" in *install*) echo > {programs}/$last; chmod +x {programs}/$last;; esac',
    )


def apt_is_broken(programs: Path) -> None:
    script(programs, "apt-get", f'echo "$*" >> {programs}/asked\nexit 100')


def has_nmap(programs: Path) -> None:
    script(programs, "nmap", "")


MACHINES = {
    "nmap is here already": ((has_nmap, is_root, has_apt), False, 0, "", 0),
    "root with apt": ((is_root, has_apt), True, 0, "", 2),
    "passwordless sudo with apt": ((has_sudo, has_apt), True, 0, "", 2),
    "apt without the right": ((has_apt,), False, 0, TELLS, 0),
    "apt without the right, everything required": ((has_apt,), True, 1, TELLS, 0),
    "no apt": ((is_root,), False, 0, TELLS, 0),
    "apt is broken": ((is_root, apt_is_broken), False, 0, TELLS, 2),
    "apt is broken, everything required": ((is_root, apt_is_broken), True, 1, TELLS, 2),
}


@pytest.mark.parametrize(("traits", "required", "status", "words", "apt_calls"), MACHINES.values(), ids=MACHINES)
def test_need_installs_or_tells(
    machine: Path,
    traits: tuple[object, ...],
    required: bool,
    status: int,
    words: str,
    apt_calls: int,
) -> None:
    for trait in traits:
        assert callable(trait)
        trait(machine)
    done = need(machine, "nmap", required=required)
    asked = machine / "asked"
    calls = asked.read_text().splitlines() if asked.exists() else []
    assert (done.returncode, words in done.stderr, len(calls)) == (status, True, apt_calls), done.stderr


def test_need_installs_quietly_and_only_what_was_named(machine: Path) -> None:
    is_root(machine)
    has_apt(machine)
    need(machine, "nmap", required=True)
    assert (machine / "asked").read_text().splitlines() == [
        "noninteractive -qq -o DPkg::Lock::Timeout=300 update",
        "noninteractive -qq -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends nmap",
    ]


def test_a_python_that_cannot_make_environments_stops_the_work(machine: Path) -> None:
    script(machine, "python3", 'case "$2" in *ensurepip*) exit 1;; *) echo python3.11-venv;; esac')
    done = need(machine, "venv", required=False)
    assert (done.returncode, "sudo apt-get install python3.11-venv" in done.stderr) == (1, True), done.stderr


def need(programs: Path, part: str, *, required: bool) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(programs), "CAMWARDEN_REQUIRE_ALL": "1" if required else ""}
    return subprocess.run([ROOT / "make/need", part], env=environment, capture_output=True, text=True, check=False)
