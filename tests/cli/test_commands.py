"""Every command teaches, and the documents name only commands and options that exist."""

import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from fleet.cli import COMMANDS as LISTED
from fleet.cli import app
from fleet.cli.lazy import Listed

ROOT = Path(__file__).parents[2]
OURS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SIMULATED = "simulate"


def walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - typer gives its commands no public type
    yield name, command
    for word, child in sorted(getattr(command, "commands", {}).items()):
        yield from walk(child, f"{name} {word}")


COMMANDS = dict(walk(typer.main.get_command(app), "camwarden"))
LEAVES = {name: command for name, command in COMMANDS.items() if not getattr(command, "commands", None)}


@pytest.mark.parametrize(("name", "listed"), LISTED.items(), ids=list(LISTED))
def test_the_list_of_commands_says_what_a_command_says_of_itself(name: str, listed: Listed) -> None:
    assert (COMMANDS[f"camwarden {name}"].help or "").partition("\n\n")[0].replace("\n", " ") == listed.says


def test_every_module_with_a_command_is_listed() -> None:
    folder = ROOT / "fleet" / "cli"
    modules = {
        path.stem for path in folder.glob("*.py") if re.search(r"^(EPILOG|app) = ", path.read_text(), re.MULTILINE)
    }
    assert modules - {"__init__"} == LISTED.keys()


def test_a_help_text_loads_neither_the_console_nor_a_decoder() -> None:
    code = "import sys; from fleet.cli import app; app(['--help'], standalone_mode=False); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "commission" in done.stdout
    assert not {"fastapi", "cv2", "onnxruntime", "sqlalchemy", "simulator"} & set(done.stdout.split())


def options_of(command: Any) -> set[str]:  # noqa: ANN401 - as above
    given = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return {option for option in given if option.startswith("-")}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_teaches_with_an_example(name: str) -> None:
    shown = CliRunner().invoke(app, [*name.split()[1:], "--help"], prog_name="camwarden", env={"TERM": "dumb"})
    text = " ".join(shown.stdout.split())
    assert shown.exit_code == 0
    assert "Example" in text
    assert "camwarden " in text.partition("Example")[2]


def examples() -> Iterator[tuple[str, str]]:
    """Every command line that we show to somebody: in the documents, also within a sentence, and in the help texts."""
    for page in OURS:
        text = page.read_text()
        for block in re.findall(r"^```(?:sh|console|yaml)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if found := re.search(r"\bcamwarden (.*)", line):
                    yield page.name, found[1]
        for said in re.findall(
            r"`camwarden ([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        ):
            yield page.name, said
    for name, command in COMMANDS.items():
        for line in (command.epilog or "").splitlines():
            if found := re.search(r": camwarden (.*)", line):
                yield name, found[1]


@pytest.mark.parametrize(("where", "line"), list(examples()), ids=lambda text: text[:60])
def test_examples_name_commands_and_options_that_exist(where: str, line: str) -> None:
    words = re.split(r"\s[>|]|\s#", line)[0].split()
    names = [name for name in LEAVES if words[: len(name.split()) - 1] == name.split()[1:] and name != "camwarden"]
    options = [word.partition("=")[0] for word in words if word.startswith("--") and word != "--"]
    if not names:  # a noun alone, an option of the command itself, or COMMAND for any of them
        group = " ".join(["camwarden", *takewhile(lambda word: word[0].islower(), words)])
        assert group in COMMANDS, where
        assert set(options) <= options_of(COMMANDS[group]) | {"--help"}, where
        return
    (name,) = names
    if name != f"camwarden {SIMULATED}":  # the simulator knows its own
        assert set(options) <= options_of(LEAVES[name]) | {"--help"}, where


@pytest.mark.parametrize("name", LEAVES)
def test_the_reference_tells_of_every_command_and_option(name: str) -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    assert f"## {name}\n" in text
    section = text.partition(f"## {name}\n")[2].partition("\n## ")[0]
    assert [option for option in options_of(LEAVES[name]) - {"--help", "-h"} if f"`{option}" not in section] == []


def test_the_readme_names_make_targets_that_exist() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"(?:^|`)make ([a-z]+)\b", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert {"demo", "test"} <= set(named) <= set(targets)
