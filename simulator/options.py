"""What may be asked of the simulator, and the words for it on the command line."""

import argparse
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

DEFAULT_MIX = MappingProxyType({"axis": 6, "hikvision": 6, "dahua": 4, "hanwha": 4, "onvif": 4})
ONE_ADDRESS = "127.0.0.1"


class OptionsError(ValueError):
    """Something asked for cannot be had; the text says what to write instead."""


@dataclass(frozen=True, slots=True)
class Options:
    """`faults` None means a seeded believable mix; an empty mapping means clean cameras.

    `one_address` and `low_ports` None mean "as this machine allows". With `one_login` all cameras have the same login.
    `reboot_s` is how long a camera is away when it restarts, `minute_s` how long a minute of its rollback timer lasts.
    With `pictures` cameras show scenes; `picture_faults` None means a believable mix; asked for ones begin
    `picture_fault_after_s` seconds after the start. The week of the scenes begins on Monday at `start_hour` and runs
    `time_scale` times as fast as ours; streams have `stream_fps`, or where that is None the rate of their profile.
    """

    cameras: int = 24
    base: str = "127.20.0.1"
    seed: int = 1
    mix: Mapping[str, int] = field(default_factory=lambda: DEFAULT_MIX)
    faults: Mapping[str, int] | None = None
    decoys: int = 0
    manifest: Path | None = None
    credentials_out: Path | None = None
    stats: Path | None = None
    one_address: bool | None = None
    low_ports: bool | None = None
    one_login: bool = False
    discovery: bool = True
    reboot_s: float = 0.3
    minute_s: float = 60.0
    pictures: bool = False
    picture_faults: Mapping[str, int] | None = None
    picture_fault_after_s: float = 0.0
    start_hour: float = 10.0
    time_scale: float = 1.0
    stream_fps: float | None = None


def from_words(words: Sequence[str]) -> Options:
    """The options in these command-line words. Exits with usage (argparse) or raises OptionsError."""
    given = _parser().parse_args(words)
    faults = dict(_counted(word) for word in given.fault) if given.fault is not None else None
    if given.clean:
        if faults is not None:
            raise OptionsError("--clean and --fault exclude each other: --fault alone leaves all other cameras clean")
        faults = {}
    base = str(_loopback(given.base))
    asked = given.picture_fault
    picture_faults = dict(_counted(word) for word in asked) if asked is not None else None
    return Options(
        cameras=given.cameras,
        base=base,
        seed=given.seed,
        mix=dict(_counted(word) for word in given.mix.split(",")) if given.mix else DEFAULT_MIX,
        faults=faults,
        decoys=given.decoys,
        manifest=given.manifest,
        credentials_out=given.credentials_out,
        stats=given.stats,
        one_address=True if given.one_address else None,
        low_ports=False if given.high_ports else None,
        one_login=given.one_login,
        discovery=not given.no_discovery,
        reboot_s=given.reboot_s,
        minute_s=given.minute_s,
        pictures=given.pictures or picture_faults is not None,
        picture_faults=picture_faults,
        picture_fault_after_s=given.picture_fault_after,
        start_hour=given.start_hour,
        time_scale=given.time_scale,
        stream_fps=given.stream_fps,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("--cameras", type=_count, default=24, metavar="N")
    parser.add_argument("--base", default="127.20.0.1", help="address of the first camera, inside 127.0.0.0/8")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mix", help="shares of the families, e.g. axis=6,hikvision=6")
    parser.add_argument("--fault", action="append", metavar="NAME=COUNT", help="only these faults; may be repeated")
    parser.add_argument("--clean", action="store_true", help="no fault at all")
    parser.add_argument("--decoys", type=_count, default=0, metavar="N", help="things that answer and are no camera")
    parser.add_argument("--manifest", type=Path, metavar="FILE", help="write the ground truth here")
    parser.add_argument("--credentials-out", type=Path, metavar="FILE", help="write the logins here (mode 0600)")
    parser.add_argument("--stats", type=Path, metavar="FILE", help="when stopped, write who tried to log in")
    parser.add_argument("--one-address", action="store_true", help="one block of ports per camera on 127.0.0.1")
    parser.add_argument("--high-ports", action="store_true", help="8080, 8443, 8554 although 80, 443, 554 are allowed")
    parser.add_argument("--one-login", action="store_true", help="the same account and password on all cameras")
    parser.add_argument("--no-discovery", action="store_true", help="no camera announces itself")
    parser.add_argument("--reboot-s", type=float, default=0.3, metavar="S", help="how long a restart takes")
    parser.add_argument("--minute-s", type=float, default=60, metavar="S", help="a minute of the rollback timer")
    parser.add_argument("--pictures", action="store_true", help="cameras show scenes: snapshots, streams, analytics")
    parser.add_argument(
        "--picture-fault", action="append", metavar="NAME=COUNT", help="faults of pictures, from the start"
    )
    parser.add_argument(
        "--picture-fault-after", type=float, default=0, metavar="S", help="seconds until those faults begin"
    )
    parser.add_argument(
        "--start-hour", type=float, default=10, metavar="H", help="hour of the scenes' week, 0 is Monday"
    )
    parser.add_argument("--time-scale", type=float, default=1, metavar="X", help="how fast the scenes' week goes by")
    parser.add_argument(
        "--stream-fps", type=float, metavar="N", help="pictures a second in place of the profile's rate"
    )
    return parser


def _count(word: str) -> int:
    number = int(word)
    if number < 0:
        raise ValueError(word)
    return number


def _counted(word: str) -> tuple[str, int]:
    name, _, count = word.strip().partition("=")
    try:
        return name, _count(count)
    except ValueError:
        raise OptionsError(f"write NAME=COUNT, for instance telnet-open=2, not {word!r}") from None


def _loopback(word: str) -> ipaddress.IPv4Address:
    try:
        address = ipaddress.IPv4Address(word)
    except ValueError:
        raise OptionsError(f"--base wants an address such as 127.20.0.1, not {word!r}") from None
    if not address.is_loopback:
        raise OptionsError(f"--base must lie in 127.0.0.0/8: the estate is served on loopback only, not on {word}")
    return address
