"""The project as it is handed out: what is pinned, what the wheel holds, and what no tracked file may say."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.frame.order import LONG

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES: list[str] = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def tracked() -> list[Path]:
    """The files that a commit of this folder would hold."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split("\0")
    files = [ROOT / name for name in names if name]
    return [path for path in files or unpacked() if path.is_file()]


def unpacked() -> Iterator[Path]:
    """The same where the sources were unpacked without git."""
    ignored = {".venv", "__pycache__", "build", "dist"}
    for path in ROOT.rglob("*"):
        inside = path.relative_to(ROOT).parts
        if not ignored.intersection(inside) and not inside[0].endswith("_cache"):
            yield path


# --- pins ---------------------------------------------------------------------------------------------------------


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def followed_down(wanted: list[str]) -> Iterator[Requirement]:
    """Every requirement that installing these brings on this Python, directly or not."""
    todo = [(Requirement(text), "") for text in wanted]
    seen: set[tuple[str, str]] = set()
    while todo:
        requirement, _ = todo.pop()
        yield requirement
        for extra in ("", *requirement.extras):
            if (key := (canonicalize_name(requirement.name), extra)) in seen:
                continue
            seen.add(key)
            below = [Requirement(text) for text in requires(requirement.name) or ()]
            todo += [(r, extra) for r in below if not r.marker or r.marker.evaluate({"extra": extra})]


def test_everything_that_is_installed_is_pinned_at_a_version_that_fits() -> None:
    wanted = [*PYPROJECT["project"]["dependencies"], *PYPROJECT["dependency-groups"]["dev"]]
    pinned = pins()
    loose = {
        str(requirement)
        for requirement in followed_down(wanted)
        if not requirement.specifier.contains(pinned.get(canonicalize_name(requirement.name), ""), prereleases=True)
    }
    assert loose == set()


# --- the wheel -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(folder.glob("camwarden-*.whl"))) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    """Templates, styles, knowledge, schemas and migrations are as much the product as the modules are."""
    ours = {str(path.relative_to(ROOT)) for path in tracked() if path.relative_to(ROOT).parts[0] in PACKAGES}
    theirs = {str(path.relative_to(wheel)) for path in wheel.rglob("*") if path.is_file()}
    assert ours - theirs == set()


def test_the_wheel_holds_the_licence_and_nothing_beside_the_packages(wheel: Path) -> None:
    info = next(wheel.glob("camwarden-*.dist-info"))
    assert (info / "licenses" / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert {path.name for path in wheel.iterdir()} == {*PACKAGES, info.name}


def test_the_command_runs_from_the_wheel(wheel: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(wheel), "NO_COLOR": "1"}
    code = "import sys, fleet, fleet.cli; print(fleet.__file__); sys.argv = ['camwarden', '--help']; fleet.cli.main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=wheel, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.startswith(str(wheel))) == (0, True), done.stderr
    assert "assess" in done.stdout


# --- what no tracked file may say -----------------------------------------------------------------------------------

FOREIGN = {
    "an address of a package registry": r"pyp[i]\.org|pythonhoste[d]|registry\.npm[j]s|de[b]\.debian",
    "a path of somebody's machine": r"(?<![\w.])/(?:hom[e]|User[s]|roo[t]|wor[k])/[\w.]",
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVAT[E] KEY-----",
    "a conflict that was never settled": r"(?m)^(?:<{7}|>{7}) ",
}


@pytest.mark.parametrize("pattern", FOREIGN.values(), ids=FOREIGN)
def test_no_tracked_file_holds(pattern: str) -> None:
    said = re.compile(pattern)
    found = [str(path.relative_to(ROOT)) for path in tracked() if said.search(path.read_text(errors="replace"))]
    assert found == []


def test_no_tracked_file_is_larger_than_a_person_would_read() -> None:
    assert [str(path) for path in tracked() if path.stat().st_size > 1_500_000] == []


def test_the_modules_that_are_begun_first_are_there() -> None:
    assert [name for name in LONG if not (ROOT / name).is_file()] == []
