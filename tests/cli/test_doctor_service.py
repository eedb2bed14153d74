"""What `doctor` says of the service itself, looked at in this process: it makes nothing and blocks at will."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleet import tls
from fleet.cli.doctor_service import lines
from fleet.settings import Settings
from fleet.store.migrating import newest


def nothing(_home: Path) -> None:
    return


def _key(mode: int) -> Callable[[Path], None]:
    def make(home: Path) -> None:
        (home / "key").write_bytes(b"k" * 32)
        (home / "key").chmod(mode)

    return make


def _certificate(days_ago: int) -> Callable[[Path], None]:
    def make(home: Path) -> None:
        tls.our_own(home, ["x"], datetime.now(UTC) - timedelta(days=days_ago))

    return make


def _broken_certificate(home: Path) -> None:
    _certificate(0)(home)
    tls.own_files(home).key.write_text("nothing")


ROWS = {
    "a key for us alone": ("key", _key(0o600), {}, "ok", "for this user alone"),
    "a key that others read": ("key", _key(0o644), {}, "fail", "has mode 0644"),
    "no key yet": ("key", nothing, {}, "ok", "not made yet"),
    "a certificate that lasts": ("certificate", _certificate(0), {}, "ok", "SHA-256"),
    "a certificate that ends soon": ("certificate", _certificate(390), {}, "warn", "until"),
    "a certificate without its key": ("certificate", _broken_certificate, {}, "warn", "no PEM"),
    "no schedule": ("schedules", nothing, {}, "ok", "none"),
    "a schedule": ("schedules", nothing, {"scan_schedule": "0 2 * * *"}, "ok", "next scan at"),
    "nobody is told": ("notices", nothing, {}, "warn", "nobody"),
    "somebody is told": ("notices", nothing, {"mail_to": ("a@example.org",)}, "ok", "by mail"),
    "a secret that cannot be read": (
        "notices",
        nothing,
        {"webhook_url": "https://x.example/"},
        "fail",
        "webhook_secret",
    ),
    "hours that end before their time": ("history", nothing, {"keep_hourly_days": 3}, "warn", "ends before"),
    "the database of this version": ("database", nothing, {}, "ok", f"works with revision {newest()}"),
}


@pytest.mark.parametrize(("what", "make", "given", "state", "words"), ROWS.values(), ids=ROWS)
def test_says(
    what: str, make: Callable[[Path], None], given: dict[str, object], state: str, words: str, tmp_path: Path
) -> None:
    make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    line = next(line for line in lines(Settings.model_validate({"home": tmp_path, **given})) if line.what == what)
    assert (line.state, words in line.found) == (state, True), line
    assert bool(line.advice) is (state != "ok")
    assert sorted(tmp_path.rglob("*")) == before
