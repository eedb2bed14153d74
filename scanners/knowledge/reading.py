"""A YAML file becomes a table, or an error that names the file and the line."""

from collections.abc import Iterator, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from scanners.knowledge.tables import Table

LARGEST_FILE_BYTES = 8 * 1024 * 1024
DEEPEST = 20

# libyaml reads a catalogue of ten thousand models in a second, the parser in Python in ten.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Shape = TypeVar("Shape", bound=Table)


class KnowledgeError(Exception):
    """A knowledge file cannot be used. The text names the file, the line and the fault, never a value of the file."""


class _Constructor(yaml.SafeLoader):
    """Lists become tuples, as knowledge is frozen; dates stay text, as pydantic names the place of a bad one."""


def _as_text(_constructor: _Constructor, node: ScalarNode) -> str:
    return str(node.value)


def _as_tuple(constructor: _Constructor, node: SequenceNode) -> tuple[object, ...]:
    return tuple(constructor.construct_sequence(node, deep=True))


_Constructor.add_constructor("tag:yaml.org,2002:seq", _as_tuple)
_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _as_text)


def read_table(source: Traversable | Path, shape: type[Shape]) -> Shape:
    """Raises KnowledgeError."""
    name = str(source) if isinstance(source, Path) else source.name
    root = _tree(_text(source, name), name)
    try:
        table = shape.model_validate(_Constructor("").construct_document(root))
    except ValidationError as exc:
        # Only the first: the later ones often follow from it.
        first = exc.errors()[0]
        raise _error(name, root, first["loc"], first["msg"]) from None
    except yaml.MarkedYAMLError as exc:
        # Its own words would quote the tag, which is a password where somebody forgot the quotes around "!…".
        raise _at_mark(name, exc, "tags (!name) are not used in these files") from None
    except ValueError:
        raise KnowledgeError(f"{name}, line 1: a value cannot be read") from None
    for place, fault in table.faults():
        raise _error(name, root, place, fault)
    return table


def _text(source: Traversable | Path, name: str) -> str:
    try:
        with source.open("rb") as file:
            content: bytes = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as exc:
        raise KnowledgeError(f"{name}, line 1: cannot be read ({exc.strerror})") from None
    if len(content) > LARGEST_FILE_BYTES:
        raise KnowledgeError(f"{name}, line 1: larger than {LARGEST_FILE_BYTES // 1024 // 1024} MiB")
    try:
        return content.decode()
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise KnowledgeError(f"{name}, line {line}: this is not UTF-8") from None


def _tree(text: str, name: str) -> Node:
    try:
        for event, fault in _strange_events(text):
            raise KnowledgeError(f"{name}, line {_line(event)}: {fault}")
        root: Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as exc:
        raise _at_mark(name, exc, f"this is not YAML ({exc.problem})") from None
    except yaml.YAMLError:
        raise KnowledgeError(f"{name}, line 1: this is not YAML") from None
    if root is None:
        raise KnowledgeError(f"{name}, line 1: the file is empty")
    for key in _ambiguous_keys(root):
        raise KnowledgeError(f"{name}, line {_line(key)}: this key is given twice, or is no plain word")
    return root


def _strange_events(text: str) -> Iterator[tuple[yaml.Event, str]]:
    """What YAML allows and no table needs. Depth is looked at first because libyaml's composer overruns its stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            yield event, "this is nested too deeply"
        if isinstance(event, yaml.AliasEvent):
            yield event, "aliases (*name) are not used in these files"


def _ambiguous_keys(root: Node) -> Iterator[Node]:
    """Keys given twice, of which the last would win without a word, and keys that are no text."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                if not isinstance(key, ScalarNode) or key.value in keys:
                    yield key
                else:
                    keys.add(key.value)
                waiting.append(value)
        elif isinstance(node, SequenceNode):
            waiting.extend(node.value)


def _error(name: str, root: Node, place: Sequence[str | int], fault: str) -> KnowledgeError:
    words = ".".join(map(str, place)) or "the file"
    return KnowledgeError(f"{name}, line {_line(_nearest(root, place))}: {words}: {fault}")


def _nearest(root: Node, place: Sequence[str | int]) -> Node:
    """What stands where the error is; for a key that is missing, what should hold it."""
    node = mark = root
    for step in place:
        if isinstance(node, MappingNode):
            found = [pair for pair in node.value if pair[0].value == step]
        elif isinstance(node, SequenceNode) and isinstance(step, int):
            found = [(item, item) for item in node.value[step : step + 1]]
        else:
            break
        if not found:
            break
        mark, node = found[0]
    return mark


def _at_mark(name: str, exc: yaml.MarkedYAMLError, fault: str) -> KnowledgeError:
    line = exc.problem_mark.line + 1 if exc.problem_mark else 1
    return KnowledgeError(f"{name}, line {line}: {fault}")


def _line(place: Node | yaml.Event) -> int:
    return place.start_mark.line + 1 if place.start_mark else 1
