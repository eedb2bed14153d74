"""One line of a list: which camera it means. Pure. What cannot be read is a mistake, never a guess."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cameras.untrusted import clean_text
from fleet.errors import Invalid
from scanners.targets import Target, TargetError, TooManyTargets, parse_targets

MOST_LINES = 20_000
MOST_CHARACTERS = 200
_MOST_SERIAL = 128
_HIGHEST_PORT = 65535
_HEX = re.compile(r"[0-9a-f]{12}")
_MAC_SEPARATORS = re.compile(r"[-:.\s]")
# What a spreadsheet makes of a serial number of digits: the number itself is gone.
_ROUNDED = re.compile(r"[0-9]+([.,][0-9]+)?[eE]\+[0-9]+")
# As exports, ours too, guard a cell against being run as a formula.
_GUARDED = re.compile(r"'(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A camera that is expected at `address`. `port` is `None` where any will do, a text where nothing is said.

    `mac` is in lower case with colons.
    """

    address: str
    port: int | None
    name: str | None
    site: str | None
    serial: str | None
    mac: str | None
    vendor: str | None
    model: str | None

    @property
    def place(self) -> str:
        host = f"[{self.address}]" if ":" in self.address and self.port else self.address
        return f"{host}:{self.port}" if self.port else self.address


@dataclass(frozen=True, slots=True)
class Line:
    """`number` counts from 1, as an editor or a spreadsheet does; of a source without lines, its items."""

    number: int
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Mistake:
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Listed:
    """What could be read of a list, and what could not. `ignored` are names of columns that mean nothing to us.

    `unit` is what the numbers count.
    """

    lines: tuple[Line, ...]
    mistakes: tuple[Mistake, ...]
    ignored: tuple[str, ...] = ()
    unit: str = "line"


class _Unreadable(Exception):
    """Why a value cannot be taken."""


def listed(
    rows: Iterable[tuple[int, Mapping[str, str] | str]], ignored: Iterable[str] = (), unit: str = "line"
) -> Listed:
    """Rows of texts by column (address, port, name, site, serial, mac, vendor, model), or why one could not be read.

    Raises Invalid for none, and for too many.
    """
    lines: list[Line] = []
    mistakes: list[Mistake] = []
    seen: dict[str, int] = {}
    for count, (number, row) in enumerate(rows, start=1):
        if count > MOST_LINES:
            raise Invalid(f"at most {MOST_LINES:,} cameras at once: split the list")
        try:
            wanted = _wanted(row)
            _refuse_double(wanted, seen, unit)
        except _Unreadable as error:
            mistakes.append(Mistake(number, str(error)))
            continue
        seen |= dict.fromkeys(_marks(wanted), number)
        lines.append(Line(number, wanted))
    if not lines and not mistakes:
        raise Invalid("the list names no camera")
    return Listed(tuple(lines), tuple(mistakes), tuple(ignored), unit)


def _marks(wanted: Wanted) -> tuple[str, ...]:
    """What no two cameras of one list have."""
    told = {"serial number": wanted.serial and wanted.serial.casefold(), "MAC": wanted.mac}
    return (f"address {wanted.place}", *(f"{what} {value}" for what, value in told.items() if value))


def _refuse_double(wanted: Wanted, seen: Mapping[str, int], unit: str) -> None:
    for mark in _marks(wanted):
        if mark in seen:
            raise _Unreadable(f"the {mark} stands in {unit} {seen[mark]} already")


def _wanted(row: Mapping[str, str] | str) -> Wanted:
    if isinstance(row, str):
        raise _Unreadable(row)
    texts = {column: _text(column, cell) for column, cell in row.items()}
    target = _target(texts.get("address"))
    own = _port(texts.get("port"))
    if own and target.port and own != target.port:
        raise _Unreadable(f"the address says port {target.port}, the column port {own}")
    return Wanted(
        address=target.address,
        port=own or target.port,
        **{column: _COLUMNS[column](texts.get(column)) for column in _COLUMNS},
    )


def _text(column: str, cell: str) -> str | None:
    text = _GUARDED.sub("", cell.strip())
    if len(text) > MOST_CHARACTERS:
        raise _Unreadable(f"{column}: longer than {MOST_CHARACTERS} characters")
    cleaned = clean_text(text, MOST_CHARACTERS)
    if "\ufffd" in cleaned:
        raise _Unreadable(f"{column}: it holds characters that cannot be printed")
    return cleaned or None


def _no_names(_host: str) -> list[str]:
    raise OSError


def _target(text: str | None) -> Target:
    if text is None:
        raise _Unreadable("there is no address")
    try:
        found = parse_targets([text], most=1, resolve=_no_names)
    except TooManyTargets:
        raise _Unreadable(f"'{text}' is more than one address: write one line for each camera") from None
    except TargetError as error:
        raise _Unreadable(str(error)) from None
    if len(found) != 1:
        raise _Unreadable(f"'{text}' is no address")
    return found[0]


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_HIGHEST_PORT))):
        raise _Unreadable(f"port: write a number from 1 to {_HIGHEST_PORT}")
    if not 1 <= (port := int(text)) <= _HIGHEST_PORT:
        raise _Unreadable(f"port: write a number from 1 to {_HIGHEST_PORT}")
    return port


def _serial(text: str | None) -> str | None:
    if text is not None and _ROUNDED.fullmatch(text):
        raise _Unreadable(
            f"serial: a spreadsheet has rounded it to '{text}'; make the column text and fill it in again"
        )
    if text is not None and len(text) > _MOST_SERIAL:
        raise _Unreadable(f"serial: longer than {_MOST_SERIAL} characters")
    return text


def _mac(text: str | None) -> str | None:
    if text is None:
        return None
    digits = _MAC_SEPARATORS.sub("", text).lower()
    if not _HEX.fullmatch(digits):
        raise _Unreadable(f"mac: '{text}' is no MAC address; write aa:bb:cc:dd:ee:ff")
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def _as_it_is(text: str | None) -> str | None:
    return text


_COLUMNS: Mapping[str, Callable[[str | None], str | None]] = {
    "name": _as_it_is,
    "site": _as_it_is,
    "serial": _serial,
    "mac": _mac,
    "vendor": _as_it_is,
    "model": _as_it_is,
}
