"""What a browser calls itself, in a few words: enough to tell one's own sessions apart, no more."""

import re

from cameras.untrusted import clean_text

UNKNOWN = "unknown program"
_MOST_READ = 512
# The first that fits: each newer name also says the older ones, for the sake of old sites.
_PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]{0,30}")


def in_words(user_agent: str) -> str:
    """`Firefox on Linux`; for others the first word of what they say, cleaned."""
    said = clean_text(user_agent[:_MOST_READ])
    program = next((name for mark, name in _PROGRAMS if f"{mark}/" in said), "")
    system = next((name for mark, name in _SYSTEMS if mark in said), "")
    if not program:
        product = _PRODUCT.match(said.partition("/")[0])
        program = product[0].strip() if product else UNKNOWN
    return f"{program} on {system}" if system else program
