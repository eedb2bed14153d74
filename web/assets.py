"""The static files: an explicit list, each with an address that changes when its content does."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files

ASSETS = {
    "camwarden.css": "text/css; charset=utf-8",
    "camwarden.js": "text/javascript; charset=utf-8",
    "security-key.js": "text/javascript; charset=utf-8",
    "favicon.svg": "image/svg+xml",
}


@cache
def content(name: str) -> bytes:
    """KeyError for a name that is not on the list: nothing else of the folder can be asked for."""
    if name not in ASSETS:
        raise KeyError(name)
    return files("web").joinpath("static", name).read_bytes()


@cache
def addresses() -> Mapping[str, str]:
    return {name: f"/static/{name}?v={sha256(content(name)).hexdigest()[:12]}" for name in ASSETS}
