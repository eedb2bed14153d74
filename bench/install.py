"""Peers that are not among our own dependencies, each in a directory of its own under .bench/."""

import subprocess
import sys
import sysconfig
from pathlib import Path

PEERS = Path(__file__).resolve().parent.parent / ".bench"
HOW_TO = "python -m bench install"
# onvif-zeep and onvif-zeep-async, which we depend on, both own the top-level package `onvif`.
_ONVIF_ZEEP = PEERS / "onvif-zeep"


def onvif_zeep() -> Path | None:
    """What PYTHONPATH must hold for onvif-zeep, or `None` while it is not installed."""
    packages = Path(sysconfig.get_path("purelib", "posix_prefix", {"base": str(_ONVIF_ZEEP)}))
    return packages if (packages / "onvif").is_dir() else None


def peers() -> int:
    """Install what is missing. nmap and hydra come from the system's packages."""
    if onvif_zeep() is not None:
        return 0
    # --prefix and not --target: its service descriptions are data files, which --target leaves out.
    where = ["--prefix", str(_ONVIF_ZEEP), "--no-warn-script-location"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-installed", *where]
    return subprocess.run([*command, "onvif-zeep==0.2.12"], check=False).returncode
