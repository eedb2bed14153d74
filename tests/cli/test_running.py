"""What a forked command is: a process of its own, which does not outlive its test."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.cli.running import camwarden

STOPPED_S = 20


def at_work_in(folder: Path) -> list[str]:
    """The processes whose folder it is."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found.append(process.name)
        except OSError:  # gone meanwhile, or not ours to look at
            continue
    return found


async def test_a_command_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        await camwarden(tmp_path, "serve", "--port", "0", patience_s=0.2)
    async with asyncio.timeout(STOPPED_S):
        while await asyncio.to_thread(at_work_in, tmp_path):  # noqa: ASYNC110 - a condition
            await asyncio.sleep(0.01)


async def test_commands_side_by_side_share_neither_folder_nor_variables(tmp_path: Path) -> None:
    homes = [tmp_path / name for name in ("here", "there")]
    for home in homes:
        home.mkdir()
    ends = await asyncio.gather(*(camwarden(home, "site", "add", home.name) for home in homes))
    assert [end.code for end in ends] == [0, 0]
    for home in homes:
        assert home.name in (await camwarden(home, "site", "list")).out
        assert (home / "camwarden.db").exists()
    assert Path.cwd() not in homes
    assert os.environ.get("CAMWARDEN_HOME") is None
