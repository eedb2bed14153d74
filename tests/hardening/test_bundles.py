"""Bundles: what is signed, what is refused, and that nothing is half-done."""

import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cameras.facts import App, FirmwareState, Identity
from fleet.rollouts.bundles import compare
from hardening import bundles, keys
from hardening.bundles import Bundle, BundleError, Reason
from hardening.manifest import AppWords, Manifest, promises, read_manifest, written

PAYLOAD = b"an image " * 1000
MANIFEST = Manifest(
    kind="firmware",
    vendor="AXIS",
    models=("P3265-V", "P1375"),
    hardware=(),
    version="12.11.77",
    scheme="axis",
    from_version="10.12.0",
    sha256="",
    size=1,
    notes="",
    app=None,
)


@pytest.fixture
def key(tmp_path: Path) -> tuple[keys.PrivateKey, keys.PublicKey]:
    public = keys.generate(tmp_path / "vendor.key", tmp_path / "vendor.pub")
    return keys.load_private(tmp_path / "vendor.key"), public


@pytest.fixture
def bundle(tmp_path: Path, key: tuple[keys.PrivateKey, keys.PublicKey]) -> Path:
    """A good one."""
    source, into = tmp_path / "image.bin", tmp_path / "good.bundle"
    source.write_bytes(PAYLOAD)
    sha256, size = bundles.digest(source)
    bundles.build(source, replace(MANIFEST, sha256=sha256, size=size), into)
    bundles.sign(into, key[0])
    return into


def test_a_good_bundle_is_what_it_was(bundle: Path, key: tuple[keys.PrivateKey, keys.PublicKey]) -> None:
    found = bundles.verify(bundle, [key[1]])
    assert (found.signed_by, found.intact, found.manifest.version) == ("vendor", True, "12.11.77")
    with bundles.open_payload(bundle) as source:
        assert source.read() == PAYLOAD


def test_the_private_key_is_for_its_owner_only_and_is_never_overwritten(tmp_path: Path) -> None:
    keys.generate(tmp_path / "a.key", tmp_path / "a.pub")
    assert (tmp_path / "a.key").stat().st_mode & 0o077 == 0
    with pytest.raises(keys.KeyUnusable, match=r"a\.key"):
        keys.generate(tmp_path / "a.key", tmp_path / "a.pub")
    with pytest.raises(keys.KeyUnusable, match="public key"):
        keys.load_public(tmp_path / "a.key")


def _rewritten(path: Path, change: Callable[[dict[str, bytes]], object], **how: int) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", **how) as archive:  # type: ignore[call-overload] # compression
        for name, content in members.items():
            archive.writestr(name, content)


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-500])


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(PAYLOAD[:50]) + 20] ^= 1
    path.write_bytes(content)


def _swapped(path: Path) -> None:
    """Another payload, and check sums that fit."""
    _rewritten(path, lambda members: members.update(payload=b"x" * len(PAYLOAD)))


def _another_version(path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        members["manifest.json"] = members["manifest.json"].replace(b"12.11.77", b"99.99.99")

    _rewritten(path, change)


def _reordered(path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        members["manifest.json"] = members["manifest.json"].replace(b'{"', b'{ "')

    _rewritten(path, change)


def _bomb(path: Path) -> None:
    _rewritten(path, lambda members: members.update(payload=b"\0" * 10_000_000), compression=zipfile.ZIP_DEFLATED)


def _many_members(path: Path) -> None:
    _rewritten(path, lambda members: members.update({f"more{number}": b"" for number in range(5000)}))


def _path_traversal(path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        members["../../etc/cron.d/x"] = members.pop("payload")

    _rewritten(path, change)


def _huge_directory(path: Path) -> None:
    """An end that claims a directory of 4 GB."""
    content = path.read_bytes()
    end = bytearray(content[-22:])
    end[12:16] = struct.pack("<L", 0xFFFFFFFF)
    path.write_bytes(content[:-22] + end)


def _lost_signature(path: Path) -> None:
    _rewritten(path, lambda members: members.pop("signature"))


def _other_signature(path: Path) -> None:
    _rewritten(path, lambda members: members.update(signature=b"\0" * 64))


def _long_signature(path: Path) -> None:
    _rewritten(path, lambda members: members.update(signature=b"\0" * 6400))


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no bundle at all": (lambda path: path.write_bytes(b"<html>no bundle</html>" * 10), "no bundle"),
    "an empty file": (lambda path: path.write_bytes(b""), "no bundle"),
    "cut short": (_truncated, "cut short"),
    "one bit of the payload turned": (_flipped, "digest"),
    "another payload": (_swapped, "digest"),
    "another version in the manifest": (_another_version, "no trusted key"),
    "the same manifest written in another way": (_reordered, "one way"),
    "a zip bomb": (_bomb, "compressed"),
    "thousands of members": (_many_members, "more than a bundle"),
    "a member that would leave the folder": (_path_traversal, "does not hold what a bundle holds"),
    "a directory that claims to be huge": (_huge_directory, "more than a bundle"),
    "no signature": (_lost_signature, "no trusted key"),
    "a made-up signature": (_other_signature, "no trusted key"),
    "a signature of another size": (_long_signature, "signature is larger"),
    "a file that is not there": (lambda path: path.unlink(), "cannot be read"),
}


@pytest.mark.parametrize(("spoil", "words"), BAD.values(), ids=BAD)
def test_a_bad_bundle_is_refused_with_a_reason(
    bundle: Path, key: tuple[keys.PrivateKey, keys.PublicKey], spoil: Callable[[Path], object], words: str
) -> None:
    spoil(bundle)
    with pytest.raises(BundleError, match=words):
        bundles.verify(bundle, [key[1]])


def test_a_key_that_is_not_trusted_signs_nothing(bundle: Path, tmp_path: Path) -> None:
    other = keys.generate(tmp_path / "other.key", tmp_path / "other.pub")
    with pytest.raises(BundleError, match="trusted keys: other"):
        bundles.verify(bundle, [other])


def test_what_was_edited_is_not_signed_and_nothing_is_left_behind(
    bundle: Path, key: tuple[keys.PrivateKey, keys.PublicKey]
) -> None:
    _swapped(bundle)
    before = sorted(path.name for path in bundle.parent.iterdir()), bundle.read_bytes()
    with pytest.raises(BundleError, match="not signed"):
        bundles.sign(bundle, key[0])
    assert (sorted(path.name for path in bundle.parent.iterdir()), bundle.read_bytes()) == before


GOOD = written(replace(MANIFEST, sha256="0" * 64))
MANIFESTS: dict[str, tuple[bytes, str]] = {
    "not JSON": (b"{", "not JSON"),
    "a list": (b"[]", "format"),
    "nested without end": (b"[" * 60_000, "not JSON"),
    "another format": (GOOD.replace(b"bundle/1", b"bundle/2"), "format"),
    "an unknown key": (GOOD.replace(b'"kind"', b'"kinds"'), "not written in the one way|other keys"),
    "a kind that nobody knows": (GOOD.replace(b'"firmware"', b'"lunch"'), "kind"),
    "no models": (GOOD.replace(b'["P3265-V","P1375"]', b"[]"), "models"),
    "a version that is a number": (GOOD.replace(b'"12.11.77"', b"12"), "version"),
    "a digest that is none": (GOOD.replace(b"0" * 64, b"0" * 63), "sha256"),
    "a size of true": (GOOD.replace(b'"size":1', b'"size":true'), "size"),
    "infinite": (GOOD.replace(b'"size":1', b'"size":Infinity'), "not JSON"),
    "too large": (b" " * 70_000, "larger"),
}


@pytest.mark.parametrize(("words", "why"), MANIFESTS.values(), ids=MANIFESTS)
def test_a_manifest_is_read_strictly(words: bytes, why: str) -> None:
    with pytest.raises(BundleError, match=why):
        read_manifest(words)


def test_a_manifest_survives_being_written() -> None:
    app = replace(MANIFEST, kind="app", app=AppWords("counter", {"least_recall": 0.8, "seconds": 60}), sha256="a" * 64)
    assert read_manifest(written(app)) == app
    assert read_manifest(GOOD) == replace(MANIFEST, sha256="0" * 64)


PROMISES: dict[str, tuple[dict[str, object], str]] = {
    "an unknown name": ({"golden": 1}, "golden is none of least_recall"),
    "not a number": ({"least_recall": "0.8"}, "least_recall must be a number from 0 to 1"),
    "a yes": ({"least_recall": True}, "must be a number"),
    "no number at all": ({"least_recall": float("nan")}, "must be a number"),
    "a percentage": ({"most_fall": 5}, "from 0 to 1"),
    "half an object": ({"least_n": 1.5}, "whole number from 1"),
    "no time to look": ({"seconds": 0}, "from 5 to 3600"),
}


@pytest.mark.parametrize(("value", "why"), PROMISES.values(), ids=PROMISES)
def test_a_promise_that_nobody_can_measure_is_refused(value: dict[str, object], why: str) -> None:
    with pytest.raises(BundleError, match=why):
        promises(value)


CAMERA = Identity("AXIS", "P3265-V", "11.9.53", "S1", "7D2", None, "axis")
RUNS = FirmwareState("11.9.53", committed=True, previous=None, rollback_in_s=None, boot_id=None)
BUNDLE = Bundle(MANIFEST, signed_by="vendor", intact=True)
FITS: dict[str, tuple[Bundle, Identity, FirmwareState | App | None, list[Reason]]] = {
    "as it should be": (BUNDLE, CAMERA, RUNS, []),
    "names are compared without case": (BUNDLE, replace(CAMERA, manufacturer="Axis", model="p3265-v"), RUNS, []),
    "nobody signed it": (replace(BUNDLE, signed_by=None), CAMERA, RUNS, [Reason.NOT_SIGNED]),
    "it was edited": (replace(BUNDLE, intact=False), CAMERA, RUNS, [Reason.EDITED]),
    "of another vendor": (BUNDLE, replace(CAMERA, manufacturer="HIKVISION"), RUNS, [Reason.VENDOR]),
    "of another model": (BUNDLE, replace(CAMERA, model="M3106"), RUNS, [Reason.MODEL]),
    "a model that only begins so": (BUNDLE, replace(CAMERA, model="P3265-VE"), RUNS, [Reason.MODEL]),
    "a camera that does not say its model": (BUNDLE, replace(CAMERA, model=None), RUNS, [Reason.MODEL]),
    "other hardware": (
        replace(BUNDLE, manifest=replace(MANIFEST, hardware=("9A1",))),
        CAMERA,
        RUNS,
        [Reason.HARDWARE],
    ),
    "hardware that it does not say": (
        replace(BUNDLE, manifest=replace(MANIFEST, hardware=("7D2",))),
        replace(CAMERA, hardware=None),
        RUNS,
        [Reason.HARDWARE],
    ),
    "the same version": (BUNDLE, CAMERA, replace(RUNS, version="12.11.77"), [Reason.ALREADY_THERE]),
    "a newer version": (BUNDLE, CAMERA, replace(RUNS, version="12.12.1"), [Reason.DOWNGRADE]),
    "too old for one step": (BUNDLE, CAMERA, replace(RUNS, version="9.80.3.11"), [Reason.TOO_OLD]),
    "just old enough": (BUNDLE, CAMERA, replace(RUNS, version="10.12"), []),
    "a version that cannot be compared": (BUNDLE, CAMERA, replace(RUNS, version="beta"), [Reason.UNKNOWN_VERSION]),
    "a test build": (
        BUNDLE,
        CAMERA,
        replace(RUNS, version="12.6+snapshot-20250722"),
        [Reason.UNKNOWN_VERSION],
    ),
    "no version": (BUNDLE, CAMERA, replace(RUNS, version=None), [Reason.UNKNOWN_VERSION]),
    "an image that is not committed": (BUNDLE, CAMERA, replace(RUNS, committed=False), [Reason.UNCOMMITTED]),
    "everything wrong at once": (
        replace(BUNDLE, signed_by=None),
        replace(CAMERA, manufacturer=None, model="x"),
        replace(RUNS, version="13.0"),
        [Reason.NOT_SIGNED, Reason.VENDOR, Reason.MODEL, Reason.DOWNGRADE],
    ),
    "an app that is not there yet": (replace(BUNDLE, manifest=replace(MANIFEST, kind="app")), CAMERA, None, []),
    "an app that is there in a newer version": (
        replace(BUNDLE, manifest=replace(MANIFEST, kind="app")),
        CAMERA,
        App("counter", None, "13.0", running=True),
        [Reason.DOWNGRADE],
    ),
}


@pytest.mark.parametrize(("found", "identity", "has", "reasons"), FITS.values(), ids=FITS)
def test_whether_a_bundle_fits_a_camera(
    found: Bundle, identity: Identity, has: FirmwareState | App | None, reasons: list[Reason]
) -> None:
    refusals = bundles.fits(found, identity, has, compare)
    assert [refusal.reason for refusal in refusals] == reasons
    assert all(refusal.text for refusal in refusals)
