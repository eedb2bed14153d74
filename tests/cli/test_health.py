"""`camwarden health judge` on files of every kind."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cameras.moving import jpeg, png
from tests.cli.running import camwarden
from tests.health.rendering import blur, covered, moved, seen, street

GOOD = seen(street(), 1)


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    path = tmp_path / "reference.jpg"
    path.write_bytes(jpeg(GOOD))
    return path


async def judged(folder: Path, reference: Path, **files: bytes) -> tuple[int, dict[str, dict[str, Any]]]:
    paths = []
    for name, content in files.items():
        paths.append(folder / name)
        paths[-1].write_bytes(content)
    result = await camwarden(folder, "health", "judge", *paths, "--reference", reference, "--json")
    said = json.loads(result.out)
    assert said["format"] == "camwarden/health/1"
    return result.code, {Path(one["file"]).name: one for one in said["pictures"]}


FILES: dict[str, tuple[Callable[[], bytes], str, list[str], int]] = {
    "the same": (lambda: jpeg(GOOD), "ok", [], 0),
    "another moment": (lambda: jpeg(seen(street(), 5)), "ok", [], 0),
    "the same as PNG": (lambda: png(GOOD), "ok", [], 0),
    "out of focus": (lambda: jpeg(blur(4)(GOOD)), "failed", ["defocus"], 1),
    "half covered": (lambda: jpeg(covered(0.5, 20)(GOOD)), "failed", ["obstruction"], 1),
    "pushed": (lambda: jpeg(moved(12, 5)(GOOD)), "degraded", ["moved"], 1),
    "black": (lambda: jpeg(GOOD * np.uint8(0)), "failed", ["obstruction", "dark"], 1),
    "one pixel": (lambda: png(GOOD[:1, :1]), "failed", ["obstruction"], 1),
    "words": (lambda: b"hello", "unknown", [], 3),
    "nothing": (lambda: b"", "unknown", [], 3),
    "cut off": (lambda: jpeg(GOOD)[:20_000], "unknown", [], 3),
}


@pytest.mark.parametrize(("made", "verdict", "faults", "code"), FILES.values(), ids=FILES)
async def test_judges_a_file_that_is(
    tmp_path: Path, reference: Path, made: Callable[[], bytes], verdict: str, faults: list[str], code: int
) -> None:
    found_code, found = await judged(tmp_path, reference, picture=made())
    assert found["picture"]["verdict"] == verdict
    assert sorted(one["fault"] for one in found["picture"]["faults"]) == sorted(faults)
    assert all(0 <= one["confidence"] <= 1 and one["evidence"] for one in found["picture"]["faults"])
    assert (found["picture"]["reason"] is None) is (verdict != "unknown")
    assert found_code == code


async def test_a_bad_picture_wins_over_one_that_cannot_be_judged(tmp_path: Path, reference: Path) -> None:
    code, found = await judged(tmp_path, reference, good=jpeg(GOOD), bad=jpeg(blur(4)(GOOD)), words=b"hello")
    assert code == 1
    assert [found[name]["verdict"] for name in ("good", "bad", "words")] == ["ok", "failed", "unknown"]


WRONG = {"no picture": b"hello", "nothing": b"", "cut off": jpeg(GOOD)[:5000]}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
async def test_a_reference_that_cannot_be_used_is_wrong_use(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "reference.jpg"
    path.write_bytes(content)
    result = await camwarden(tmp_path, "health", "judge", path, "--reference", path, "--json")
    assert (result.code, result.out) == (2, "")
    assert "--reference" in result.err


async def test_people_get_a_table(tmp_path: Path, reference: Path) -> None:
    path = tmp_path / "bad.jpg"
    path.write_bytes(jpeg(blur(4)(GOOD)))
    result = await camwarden(tmp_path, "health", "judge", path, tmp_path / "none.jpg", "--reference", reference)
    assert "defocus" in result.out
    assert "cannot be read" in result.out
    assert "2 looked at, 1 with a fault, 1 unknown" in result.out
