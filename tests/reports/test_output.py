"""Report files are checked before the work and whole after it."""

import os
from pathlib import Path

import pytest

from fleet.reports.output import OutputError, ReportFile


def test_writes_whole(tmp_path: Path) -> None:
    path = tmp_path / "report"
    with ReportFile(path) as report:
        assert not path.exists()
        report.write("text\r\n\udcff")
    assert path.read_bytes() == b"text\r\n?"
    assert [one.name for one in tmp_path.iterdir()] == ["report"]


def test_the_old_report_stays_where_the_work_fails(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_text("old")
    with pytest.raises(KeyError), ReportFile(path):
        raise KeyError
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["report"]


def test_keeps_the_mode_of_what_it_replaces(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_text("old")
    path.chmod(0o640)
    with ReportFile(path) as report:
        report.write("new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)


def test_follows_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    with ReportFile(link) as report:
        report.write("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_a_device_is_written_to_directly() -> None:
    with ReportFile(Path(os.devnull)) as report:
        report.write("text")
    assert not Path(os.devnull).is_file()


BAD_PLACES = {
    "a folder": ".",
    "a folder that does not exist": "nowhere/report",
    "a file as a folder": "file/report",
    "a name that is too long": "x" * 300,
}


@pytest.mark.parametrize("place", BAD_PLACES.values(), ids=BAD_PLACES)
def test_refuses_on_entry(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot be written|is a folder"), ReportFile(tmp_path / place):
        pass
