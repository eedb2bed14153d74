"""The modules of the collection that need no Ansible around them, loaded from their files."""

import importlib.util
from types import ModuleType

from tests.ansible.playing import COLLECTION


def part(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.replace("/", "_"), COLLECTION / "plugins" / f"{path}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
