"""The documents are tested like code: found from their index, without dead links, and true where a machine can tell."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def links(page: Path) -> Iterator[tuple[str, Path, str]]:
    """Each link of a page that leads inside the project: as written, the file it means, the heading it means."""
    for target in LINK.findall(FENCE.sub("", page.read_text())):
        if not re.match(r"[a-z]+:", target):
            path, _, heading = target.partition("#")
            yield target, (page.parent / path).resolve() if path else page, heading


def headings(page: Path) -> set[str]:
    """The anchors that a page offers, formed as the forges form them."""
    titles = re.findall(r"^#+ (.+?)\s*$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    dead = [
        target
        for target, path, heading in links(page)
        if not path.exists() or (heading and path.suffix == ".md" and heading not in headings(path))
    ]
    assert dead == []


def test_every_page_is_found_from_the_index() -> None:
    linked = {path for _, path, _ in links(DOCS / "README.md")}
    assert [name(page) for page in DOCS.rglob("*.md") if page not in linked | {DOCS / "README.md"}] == []


@pytest.mark.parametrize("page", DECISIONS, ids=name)
def test_every_decision_says_why_what_and_what_follows(page: Path) -> None:
    assert {"context", "decision", "consequences"} <= headings(page)
    assert page.read_text().count("\n") < 70, "a decision is one page"


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [page.name[:5] for page in DECISIONS] == [f"{number:04}-" for number in range(1, len(DECISIONS) + 1)]


def test_the_change_log_has_a_place_for_what_comes_next() -> None:
    assert "unreleased" in headings(ROOT / "CHANGELOG.md")


def test_the_architecture_tells_of_every_package_and_of_every_contract_between_them() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    text = (ROOT / "ARCHITECTURE.md").read_text()
    packages = [f"### {package}/" for package in project["tool"]["importlinter"]["root_packages"]]
    contracts = [contract["name"] for contract in project["tool"]["importlinter"]["contracts"]]
    assert [words for words in packages + contracts if words not in text] == []


def test_the_architecture_names_only_files_that_are_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = re.findall(r"`((?:cameras|scanners|fleet|web|simulator|tests|bench|docs|make)/[\w./-]*)`", text)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_commands_that_people_are_told_of_are_in_the_makefile() -> None:
    there = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = {word for page in PAGES for word in re.findall(r"`make ([a-z]+)", page.read_text())}
    assert told <= there


def quirks() -> Iterator[str]:
    """Every id that the code may write into a dossier: given to `quirks.add`, or made by a function named for it."""
    for path in (ROOT / "cameras").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            named = isinstance(node, ast.FunctionDef) and "quirk" in node.name
            added = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("quirks.add")
            if named or added:
                for part in ast.walk(node):
                    if isinstance(part, ast.Constant) and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", str(part.value)):
                        yield str(part.value)


def test_every_quirk_is_told_and_no_other() -> None:
    assert headings(DOCS / "quirks.md") == {"quirks", *quirks()}
