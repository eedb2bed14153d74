"""The collection is held to what Ansible's own tools ask of one: it builds, lints, and passes sanity tests."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from tests.ansible.playing import COLLECTION, environment

PROGRAMS = Path(sys.executable).parent
# Left out: pylint, pep8 and yamllint look for what ruff and ansible-lint find already; import and compile for what the
# plays show; changelog for a release. Each of them passes; each makes an environment of its own, which takes long.
SANITY = (
    *("action-plugin-docs", "ansible-doc", "empty-init", "line-endings", "no-assert", "no-get-exception"),
    *("no-illegal-filenames", "no-smart-quotes", "replace-urlopen", "runtime-metadata", "shebang", "symlinks"),
    *("use-argspec-type-path", "use-compat-six", "validate-modules"),
)
# ansible-test fetches this file from a server of its own, but takes it from a folder where it has been laid down.
GET_PIP = """
import subprocess, sys
subprocess.check_call([sys.executable, "-m", "ensurepip", "--upgrade", "--default-pip"], stdout=subprocess.DEVNULL)
args = [a for a in sys.argv[1:] if a not in ("--no-setuptools", "--no-wheel")]
if not any(a.startswith("pip==") for a in args):
    args.append("pip==24.2")
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", "-q", *args]))
"""
PLUGINS = ("plan", "apply", "verify", "gate")

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The collection where Ansible's tools want to find it."""
    place = tmp_path / "ansible_collections" / "camwarden" / "estate"
    shutil.copytree(COLLECTION, place, ignore=shutil.ignore_patterns("ruff.toml", "__pycache__", ".*_cache"))
    return place


async def ran(place: Path, home: Path, program: str, *words: str) -> tuple[int, str]:
    """`home` lies beside the folder of all collections."""
    await asyncio.to_thread(home.mkdir, exist_ok=True)
    variables = {**environment(home, home.parent), "ANSIBLE_CALLBACKS_ENABLED": ""}
    process = await asyncio.create_subprocess_exec(
        *(program if "/" in program else shutil.which(program) or program, *words),
        env={**variables, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"},
        cwd=place,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 220)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    return process.returncode or 0, out.decode()


async def test_it_builds_and_its_pages_are_written(checkout: Path, tmp_path: Path) -> None:
    words = ("collection", "build", "--output-path", str(tmp_path / "built"))
    code, out = await ran(checkout, tmp_path / "home", str(PROGRAMS / "ansible-galaxy"), *words)
    assert code == 0, out
    assert [path.name for path in (tmp_path / "built").iterdir()] == ["camwarden-estate-0.1.0.tar.gz"]
    names = [f"camwarden.estate.{name}" for name in PLUGINS]
    code, out = await ran(checkout, tmp_path / "home", str(PROGRAMS / "ansible-doc"), *names)
    assert code == 0, out
    assert out.count("CW_TOKEN") == len(PLUGINS)
    inventory = ("--type", "inventory", "camwarden.estate.estate")
    code, out = await ran(checkout, tmp_path / "home", str(PROGRAMS / "ansible-doc"), *inventory)
    assert code == 0, out


@pytest.mark.parametrize("name", PLUGINS)
def test_what_is_documented_is_what_is_taken(name: str) -> None:
    """Read as text: an action plugin can be imported by Ansible only."""
    page = (COLLECTION / "plugins" / "modules" / f"{name}.py").read_text().split('r"""')[1].split('"""')[0]
    fragment = (COLLECTION / "plugins" / "doc_fragments" / "service.py").read_text().split('r"""')[1].split('"""')[0]
    documented = {**yaml.safe_load(page)["options"], **yaml.safe_load(fragment)["options"]}
    sources = [COLLECTION / "plugins" / path for path in ("module_utils/client.py", "plugin_utils/batch.py")]
    sources += [
        COLLECTION / "plugins" / "plugin_utils" / "planning.py",
        COLLECTION / "plugins" / "action" / f"{name}.py",
    ]
    text = "".join(path.read_text() for path in sources)
    assert [
        option for option in documented if f'"{option}": {{"type"' not in text.replace('{\n        "type"', '{"type"')
    ] == []


async def test_its_types_are_strict(checkout: Path, tmp_path: Path) -> None:
    words = ("--strict", "--namespace-packages", "--explicit-package-bases", "--ignore-missing-imports")
    # From the folder of all collections, as its imports name themselves from there; Ansible has no annotations.
    plugins = "ansible_collections/camwarden/estate/plugins"
    given = (*words, "--allow-subclassing-any", "--config-file=", f"--cache-dir={tmp_path / 'types'}", plugins)
    code, out = await ran(checkout.parents[2], tmp_path / "home", sys.executable, "-m", "mypy", *given)
    assert code == 0, out


async def test_it_lints_for_production(checkout: Path, tmp_path: Path) -> None:
    if not (PROGRAMS / "ansible-lint").exists():
        pytest.skip("ansible-lint is not installed: `pip install ansible-lint`")
    await ran(checkout, tmp_path / "home", "git", "init", "-q")
    code, out = await ran(checkout, tmp_path / "home", str(PROGRAMS / "ansible-lint"))
    assert code == 0, out


async def test_it_passes_the_sanity_tests(checkout: Path, tmp_path: Path) -> None:
    if not (PROGRAMS / "ansible-test").exists():
        pytest.skip("ansible-test is not installed: `pip install ansible-core`")
    home = tmp_path / "home"
    cache = home / ".ansible" / "test" / "cache"
    await asyncio.to_thread(cache.mkdir, parents=True)
    await asyncio.to_thread((cache / "get_pip_24_2.py").write_text, GET_PIP)
    await ran(checkout, home, "git", "init", "-q")
    await ran(checkout, home, "git", "add", "-A")
    chosen = [word for name in SANITY for word in ("--test", name)]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    words = ("sanity", "--local", "--python", python, "--color", "no", *chosen)
    code, out = await ran(checkout, home, str(PROGRAMS / "ansible-test"), *words)
    if "No matching distribution found" in out:
        pytest.skip("the sanity tests take a few packages from the package index, which cannot be reached")
    assert code == 0, out
