"""A list of cameras as CSV, as spreadsheets write it. Pure. Cells are text: nothing in them is ever run."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence

from cameras.untrusted import clean_text
from fleet.errors import Invalid
from fleet.expected.lines import MOST_LINES, Listed, listed

MOST_BYTES = 8 * 1024 * 1024
_MOST_COLUMNS = 200
_MOST_LINE = 16 * 1024
_SHOWN = 20
# What people call the columns, in small letters and digits alone.
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "address": ("address", "ip", "ipaddress", "ipv4", "ipv4address", "ipv6", "primaryip", "primaryip4", "adresse"),
    "port": ("port", "httpport", "webport"),
    "name": ("name", "camera", "cameraname", "devicename", "hostname", "label", "title", "bezeichnung"),
    "site": ("site", "sitename", "location", "place", "building", "standort"),
    "serial": ("serial", "serialnumber", "serialno", "sn", "seriennummer"),
    "mac": ("mac", "macaddress", "macaddr", "ethernetaddress", "hardwareaddress"),
    "vendor": ("vendor", "manufacturer", "maker", "make", "brand", "hersteller"),
    "model": ("model", "modelname", "devicetype", "product", "modell"),
}  # fmt: skip
_MEANT = {synonym: column for column, synonyms in _SYNONYMS.items() for synonym in synonyms}
_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def read(content: bytes) -> Listed:
    """Raises Invalid where it is no such list at all; a line that cannot be read is a mistake of its own."""
    if len(content) > MOST_BYTES:
        raise Invalid(f"larger than {MOST_BYTES // 1024 // 1024} MiB: split the list")
    lines = re.split(r"\r\n|\r|\n", _decoded(content))
    if len(lines) > 2 * MOST_LINES:
        raise Invalid(f"at most {MOST_LINES:,} cameras at once: split the list")
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise Invalid("the list is empty: its first line names the columns, such as address,name,site,serial")
    if any(len(line) > _MOST_LINE for line in lines):
        raise Invalid(f"a line is longer than {_MOST_LINE} characters: this is no list of cameras")
    separator = max(",;\t", key=lines[first].count)
    header = _cells(lines[first], separator) or []
    columns, ignored = _columns(header)
    rows = _rows(lines[first + 1 :], first + 2, separator, columns, len(header))
    return listed(rows, ignored)


def _decoded(content: bytes) -> str:
    coding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(coding)
    except UnicodeDecodeError:
        raise Invalid("it is no UTF-8 text: save it as “CSV UTF-8”") from None
    if "\0" in text:
        raise Invalid("it is no text: save it as “CSV UTF-8”")
    return text


def _cells(line: str, separator: str) -> list[str] | None:
    """`None` where quotes are left open: no cell of a list of cameras has more than one line."""
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return None


def _columns(header: Sequence[str]) -> tuple[dict[int, str], list[str]]:
    """Which column stands where, and the names that mean nothing to us."""
    if len(header) > _MOST_COLUMNS:
        raise Invalid(f"more than {_MOST_COLUMNS} columns")
    found: dict[int, str] = {}
    ignored: list[str] = []
    for place, name in enumerate(header):
        column = _MEANT.get(re.sub(r"[^a-z0-9]", "", name.casefold()))
        if column is None:
            ignored.append(clean_text(name, 40))
        elif column in found.values():
            raise Invalid(f"two columns are the {column}: rename one of them")
        else:
            found[place] = column
    if "address" not in found.values():
        named = ", ".join(clean_text(name, 40) for name in header[:_SHOWN]) or "nothing"
        raise Invalid(f"no column is the address: the first line names {named}; call one of them “address”")
    return found, [name for name in ignored if name]


def _rows(
    lines: Sequence[str], first: int, separator: str, columns: Mapping[int, str], width: int
) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    for number, line in enumerate(lines, start=first):
        cells = _cells(line, separator)
        if cells is None:
            yield number, "a quotation mark is left open: a camera stands in one line"
        elif any(cell.strip() for cell in cells[width:]):
            yield (
                number,
                f"it has more than {width} cells, as the first line has: put what holds a separator into quotes",
            )
        elif any(cell.strip() for cell in cells):
            yield number, {column: cells[place] for place, column in columns.items() if place < len(cells)}
