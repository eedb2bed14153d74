"""Peers that are not among our own dependencies, each in a directory of its own under .bench/."""

import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).resolve().parent.parent / ".bench"
HOW_TO = "python -m bench install"


@dataclass(frozen=True, slots=True)
class Peer:
    """`wanted` is all that is not among our own dependencies already; `package` is what is imported."""

    folder: str
    package: str
    wanted: tuple[str, ...]


# onvif-zeep and onvif-zeep-async, which we depend on, both own the top-level package `onvif`.
ONVIF_ZEEP = Peer("onvif-zeep", "onvif", ("onvif-zeep==0.2.12",))
PROCRASTINATE = Peer(
    "procrastinate",
    "procrastinate",
    (
        "procrastinate==3.10.0",
        "asgiref==3.13.0",
        "croniter==7.0.0",
        "psycopg-pool==3.3.3",
        "python-dateutil==4.0.0",
    ),
)
ALL = (ONVIF_ZEEP, PROCRASTINATE)


def place(peer: Peer) -> Path | None:
    """What PYTHONPATH must hold for it, or `None` while it is not installed."""
    packages = Path(sysconfig.get_path("purelib", "posix_prefix", {"base": str(PEERS / peer.folder)}))
    return packages if (packages / peer.package).is_dir() else None


def peers() -> int:
    """Install what is missing. nmap and hydra come from the system's packages."""
    return max(_install(peer) for peer in ALL)


def _install(peer: Peer) -> int:
    if place(peer) is not None:
        return 0
    # --prefix and not --target: data files, such as service descriptions, are left out by --target.
    where = ["--prefix", str(PEERS / peer.folder), "--no-warn-script-location"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-installed", *where]
    return subprocess.run([*command, *peer.wanted], check=False).returncode
