"""A YAML file of ours as plain values that know their lines: no aliases, no tags, no key twice, no endless depth."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

LARGEST_FILE_BYTES = 256 * 1024
DEEPEST = 8


class YamlError(Exception):
    """The file cannot be read. The text names file and line, and never quotes the file."""


@dataclass(frozen=True, slots=True)
class Tree:
    name: str
    root: Node
    values: Any

    def line(self, place: Sequence[str | int]) -> int:
        """Where this key stands, or what should hold it."""
        *_, (mark, _) = self._walk(place)
        return mark.start_mark.line + 1 if mark.start_mark else 1

    def has(self, place: Sequence[str | int]) -> bool:
        return sum(1 for _ in self._walk(place)) == len(place) + 1

    def _walk(self, place: Sequence[str | int]) -> Iterator[tuple[Node, Node]]:
        node = self.root
        yield node, node
        for step in place:
            found: list[tuple[Node, Node]] = []
            if isinstance(node, MappingNode):
                found = [pair for pair in node.value if pair[0].value == step]
            elif isinstance(node, SequenceNode) and isinstance(step, int):
                found = [(item, item) for item in node.value[step : step + 1]]
            if not found:
                return
            mark, node = found[0]
            yield mark, node


def read(path: Path) -> Tree:
    """Blocks. Raises YamlError."""
    name = path.name if path.parent.name == "baselines" else str(path)
    return parse(_text(path, name), name)


def parse(text: str, name: str) -> Tree:
    """`name` is what errors call it. Raises YamlError."""
    try:
        for event, fault in _strange_events(text):
            raise YamlError(f"{name}, line {_line(event)}: {fault}")
        root: Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None:
            raise YamlError(f"{name}, line 1: the file is empty")
        for key in _ambiguous_keys(root):
            raise YamlError(f"{name}, line {_line(key)}: this key is given twice, or is no plain word")
        return Tree(name, root, yaml.SafeLoader("").construct_document(root))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(f"{name}, line {mark.line + 1 if mark else 1}: this is not YAML ({error.problem})") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise YamlError(f"{name}, line 1: this is not YAML") from None


def _text(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise YamlError(f"{name}: cannot be read ({getattr(error, 'strerror', None) or 'not a file name'})") from None
    if len(content) > LARGEST_FILE_BYTES:
        raise YamlError(f"{name}: larger than {LARGEST_FILE_BYTES // 1024} KiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise YamlError(f"{name}, line {line}: this is not UTF-8") from None


def _strange_events(text: str) -> Iterator[tuple[yaml.Event, str]]:
    """Looked at before anything is composed: depth and aliases are how YAML is made to explode."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            yield event, "this is nested too deeply"
        if isinstance(event, yaml.AliasEvent):
            yield event, "aliases (*name) are not used in these files"
        if isinstance(event, yaml.ScalarEvent) and event.tag and not event.tag.startswith("tag:yaml.org,2002:"):
            yield event, "tags (!name) are not used in these files"


def _ambiguous_keys(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                if not isinstance(key, ScalarNode) or key.tag != "tag:yaml.org,2002:str" or key.value in keys:
                    yield key
                else:
                    keys.add(key.value)
                waiting.append(value)
        elif isinstance(node, SequenceNode):
            waiting.extend(node.value)


def _line(place: Node | yaml.Event) -> int:
    return place.start_mark.line + 1 if place.start_mark else 1
