"""The systemd unit that ships: whole, as the documents describe it, and nothing that systemd complains about."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from fleet.settings import Settings

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "packaging" / "systemd" / "camwarden.service"
INSTALL = ROOT / "docs" / "operate" / "install.md"
# For what is closed around the steps: `fleet.cli.leaving`.
MORE_S = 10


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names are told apart by case
    parser.read(UNIT)
    return parser


def test_the_unit_waits_for_a_stop_as_long_as_the_service_may_take() -> None:
    service = unit()["Service"]
    assert service["Type"] == "notify"
    assert int(service["TimeoutStopSec"]) > Settings.model_fields["stop_seconds"].default + MORE_S


def test_the_unit_leaves_the_service_what_discovery_needs() -> None:
    families = set(unit()["Service"]["RestrictAddressFamilies"].split())
    assert families == {"AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"}
    assert "MemoryDenyWriteExecute" not in unit()["Service"]


def test_the_document_names_lines_that_are_in_the_unit() -> None:
    table = "\n".join(line for line in INSTALL.read_text().splitlines() if line.startswith("| `"))
    named = set(re.findall(r"`([A-Z]\w+)=", table))
    assert named
    assert named <= set(unit()["Service"])


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not on this machine")
    # What it would start is not there, and is none of its business here.
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.MULTILINE)
    copy = tmp_path / UNIT.name
    copy.write_text(text)
    said = subprocess.run(
        [program, "verify", "--man=no", str(copy)], capture_output=True, text=True, timeout=60, check=False
    )
    about_us = [line for line in said.stderr.splitlines() if UNIT.name in line and "User" not in line]
    assert about_us == []
