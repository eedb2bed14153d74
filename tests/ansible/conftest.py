from pathlib import Path

import pytest

from tests.ansible.playing import COLLECTION


@pytest.fixture(scope="session")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path of collections with ours in it, as `ansible-galaxy collection install` would leave it."""
    root = tmp_path_factory.mktemp("collections")
    (root / "ansible_collections" / "camwarden").mkdir(parents=True)
    (root / "ansible_collections" / "camwarden" / "estate").symlink_to(COLLECTION)
    return root
