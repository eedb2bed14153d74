"""Templates and the values that they are given agree, name by name."""

from dataclasses import fields
from pathlib import Path

import pytest
from jinja2 import meta, nodes

import web
from web import account_contexts, audit_contexts, contexts, job_contexts, people_contexts, picture_contexts
from web.contexts import PAGES
from web.rendering import environment

TEMPLATES = sorted(path.name for path in Path(next(iter(web.__path__)), "templates").glob("*.html"))
ENV = environment()


def tree(name: str) -> nodes.Template:
    assert ENV.loader
    return ENV.parse(ENV.loader.get_source(ENV, name)[0])


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_compiles(name: str) -> None:
    assert ENV.get_template(name).name == name


@pytest.mark.parametrize(("context", "template"), PAGES.items(), ids=PAGES.values())
def test_a_page_reads_exactly_the_fields_of_its_context(context: type, template: str) -> None:
    parsed = tree(template)
    imported = {name for node in parsed.find_all(nodes.FromImport) for name in node.names}
    read = meta.find_undeclared_variables(parsed) - ENV.globals.keys() - imported - {"frame"}
    assert read == {field.name for field in fields(context)}


def test_the_frame_of_every_page_reads_only_the_frame() -> None:
    assert meta.find_undeclared_variables(tree("base.html")) - ENV.globals.keys() - {"icon"} == {"frame"}


def test_every_field_of_the_frame_is_read_somewhere() -> None:
    read = {node.attr for name in TEMPLATES for node in tree(name).find_all(nodes.Getattr) if _is_frame(node.node)}
    assert read == {field.name for field in fields(contexts.Frame)}


def _is_frame(node: nodes.Expr) -> bool:
    return isinstance(node, nodes.Name) and node.name == "frame"


DOCUMENTED = [
    value
    for module in (account_contexts, audit_contexts, contexts, job_contexts, people_contexts, picture_contexts)
    for value in vars(module).values()
    if isinstance(value, type) and value.__module__ == module.__name__
]


@pytest.mark.parametrize("context", DOCUMENTED, ids=lambda context: context.__name__)
def test_every_field_of_a_context_is_explained(context: type) -> None:
    missing = [field.name for field in fields(context) if f"`{field.name}`" not in (context.__doc__ or "")]
    assert not missing


def test_every_template_is_a_page_or_a_part_of_one() -> None:
    parts = {name for page in TEMPLATES for name in meta.find_referenced_templates(tree(page)) if name}
    assert set(TEMPLATES) == set(PAGES.values()) | parts


def test_no_template_has_anything_inline() -> None:
    for name in TEMPLATES:
        source = Path(next(iter(web.__path__)), "templates", name).read_text()
        assert not {
            word for word in (" style=", "<style", " onclick", " onload", " onsubmit", "javascript:") if word in source
        }
        assert "|safe" not in source.replace(" ", "")
