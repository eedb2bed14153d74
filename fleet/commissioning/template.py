"""Templates: which rows a checklist has, and how each is closed. Data, validated when it is read."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fleet.commissioning.density import LEVELS
from fleet.errors import Invalid
from scanners.checks import CHECKS

Kind = Literal["checks", "person", "still", "label", "density"]
Evidence = Literal["photo", "still"]

_FOLDER = Path(__file__).parent / "templates"
_KNOWN_CHECKS = frozenset(check.id for check in CHECKS)
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Row(_Strict):
    """One row. `checks` are judged by the machine; every other kind is closed by a person with `evidence`."""

    id: Id
    title: str
    kind: Kind
    how: str = ""
    checks: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    target: str | None = None
    clauses: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "Row":
        unknown = set(self.checks) - _KNOWN_CHECKS
        if unknown:
            raise ValueError(f"row {self.id}: no check is called {', '.join(sorted(unknown))}")
        if (self.kind == "checks") != bool(self.checks):
            raise ValueError(f"row {self.id}: only a row of kind checks names checks, and it names at least one")
        if (self.kind == "density") != (self.target is not None):
            raise ValueError(f"row {self.id}: only a row of kind density has a target, and it has one")
        if self.target is not None and self.target not in {level.name for level in LEVELS}:
            raise ValueError(f"row {self.id}: no level of pixel density is called {self.target}")
        if self.kind != "checks" and not self.how:
            raise ValueError(f"row {self.id}: say how a person closes it")
        return self


class Template(_Strict):
    id: Id
    version: Annotated[int, Field(ge=1)]
    title: str
    rows: Annotated[tuple[Row, ...], Field(min_length=1, max_length=60)]

    @model_validator(mode="after")
    def _rows_are_told_apart(self) -> "Template":
        ids = [row.id for row in self.rows]
        if len(set(ids)) < len(ids):
            raise ValueError("two rows have the same id")
        return self

    def row(self, row: str) -> Row:
        """Raises Invalid."""
        found = next((one for one in self.rows if one.id == row), None)
        if found is None:
            raise Invalid(f"this checklist has no row {row!r}")
        return found


def read_template(text: str, name: str) -> Template:
    """Raises Invalid, which says where and what."""
    try:
        return Template.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
        raise Invalid(f"{name}, line {line}: not YAML: {getattr(error, 'problem', error)}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Invalid(f"{name}: {where + ': ' if where else ''}{first['msg']}") from error


@cache
def bundled() -> Sequence[Template]:
    """The templates that come with Camwarden, by id."""
    return tuple(read_template(path.read_text(encoding="utf-8"), path.name) for path in sorted(_FOLDER.glob("*.yaml")))


def template(template: str) -> Template:
    """Raises Invalid."""
    found = next((one for one in bundled() if one.id == template), None)
    if found is None:
        raise Invalid(f"no template is called {template!r}; there are: {', '.join(one.id for one in bundled())}")
    return found
