"""The shapes of the knowledge files: what a row must say, and how a check asks."""

import re
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, StringConstraints

from cameras.secret import Secret
from scanners import versions
from scanners.versions import Version

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Port = Annotated[int, Field(ge=1, le=65535)]
Day = Annotated[date, Field(strict=False)]
Fault = tuple[tuple[str | int, ...], str]


class _Row(BaseModel):
    """Unknown keys and values of another type are errors; messages never repeat a value, which may be a password."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Table(_Row):
    """Every file says from when it is and where its rows come from."""

    dated: Day
    sources: tuple[Text, ...] = Field(min_length=1)

    def faults(self) -> Iterator[Fault]:
        """What is wrong between rows: the place, as keys and indexes from the top, and what to change."""
        yield from ()


# --- firmware.yaml ----------------------------------------------------------------------------------------------------


class Release(_Row):
    """The newest firmware of one model on one track.

    `train` is the number that all versions of the track begin with ("10.12"); without one, the release counts for every
    version that no other track claims.
    """

    model: Text
    newest: Text
    track: Text | None = None
    train: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9}){0,3}$")] | None = None

    @cached_property
    def stem(self) -> tuple[int, ...]:
        return tuple(map(int, self.train.split("."))) if self.train else ()


class VendorReleases(_Row):
    manufacturers: tuple[Text, ...] = Field(min_length=1)
    scheme: Literal["axis", "hikvision", "dahua", "hanwha", "dotted"]
    models: tuple[Release, ...]


class FirmwareCatalogue(Table):
    """The newest firmware by manufacturer and model."""

    format: Literal["camwarden/firmware/1"]
    expires: Day | None = None
    vendors: tuple[VendorReleases, ...]
    _judged_on: date | None = None
    _by_model: dict[tuple[str, str], tuple[str, list[Release]]]

    def model_post_init(self, _context: object, /) -> None:
        self._by_model = {}
        for vendor in self.vendors:
            for manufacturer in vendor.manufacturers:
                for release in vendor.models:
                    key = (manufacturer.casefold(), release.model.casefold())
                    self._by_model.setdefault(key, (vendor.scheme, []))[1].append(release)

    def faults(self) -> Iterator[Fault]:
        seen: set[tuple[str, str, tuple[int, ...]]] = set()
        for v, vendor in enumerate(self.vendors):
            for r, release in enumerate(vendor.models):
                if versions.parse(vendor.scheme, release.newest) is None:
                    yield ("vendors", v, "models", r, "newest"), f"this is not how {vendor.scheme} versions are written"
                keys = {(name.casefold(), release.model.casefold(), release.stem) for name in vendor.manufacturers}
                if keys & seen:
                    yield ("vendors", v, "models", r), "this model stands twice; give each row its own train"
                seen |= keys

    def seen_on(self, day: date) -> Self:
        """The same catalogue as it looks on the day of one visit."""
        seen = self.model_copy()
        seen._judged_on = day  # noqa: SLF001 - a private field is one that no file can set
        return seen

    def scheme(self, manufacturer: str, model: str) -> str | None:
        """How this model's versions are written, `None` where the catalogue does not know the model."""
        known = self._known(manufacturer, model)
        return known[0] if known else None

    def newest(self, manufacturer: str, model: str, installed: Version) -> Release | None:
        """The release on the track of the installed version: the longest train that it begins with."""
        known = self._known(manufacturer, model)
        fitting = [r for r in known[1] if installed.numbers[: len(r.stem)] == r.stem] if known else []
        return max(fitting, key=lambda release: len(release.stem), default=None)

    @property
    def age_days(self) -> int | None:
        """On the day of the visit; negative where the catalogue is younger than the evidence."""
        return (self._judged_on - self.dated).days if self._judged_on else None

    @property
    def expired(self) -> bool:
        return bool(self.expires and self._judged_on and self._judged_on > self.expires)

    def _known(self, manufacturer: str, model: str) -> tuple[str, list[Release]] | None:
        return self._by_model.get((manufacturer.strip().casefold(), model.strip().casefold()))


# --- default_credentials.yaml -----------------------------------------------------------------------------------------


def _sealed(text: object) -> Secret:
    if not isinstance(text, str):
        raise ValueError("write the password in quotes")  # noqa: TRY004 - pydantic reports ValueError with its place
    return Secret(text)


class DefaultPair(_Row):
    """A pair that a vendor once shipped. `applies` says to which products, `source` where that is written.

    The id is what reports show, so it does not hold the password (unless that is the account's name itself).
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{3,60}$")]
    account: Text
    password: Annotated[InstanceOf[Secret], BeforeValidator(_sealed)]
    applies: Text
    source: Text


class VendorDefaults(_Row):
    """What to try on a vendor's cameras. `login_path` answers a GET only after a login."""

    vendor: Text
    manufacturers: tuple[Text, ...] = Field(min_length=1)
    login_path: Annotated[str, StringConstraints(pattern=r"^/[!-~]{1,200}$")]
    pairs: tuple[DefaultPair, ...] = Field(min_length=1)


class DefaultCredentials(Table):
    vendors: tuple[VendorDefaults, ...]
    _by_name: dict[str, VendorDefaults]

    def model_post_init(self, _context: object, /) -> None:
        self._by_name = {name.casefold(): vendor for vendor in self.vendors for name in vendor.manufacturers}

    def faults(self) -> Iterator[Fault]:
        seen: set[str] = set()
        for v, vendor in enumerate(self.vendors):
            for key, words in (("manufacturers", vendor.manufacturers), ("pairs", tuple(p.id for p in vendor.pairs))):
                for i, word in enumerate(words):
                    if f"{key} {word.casefold()}" in seen:
                        yield ("vendors", v, key, i), "this stands twice"
                    seen.add(f"{key} {word.casefold()}")

    def for_manufacturer(self, name: str) -> VendorDefaults | None:
        """By the name that the camera gives over ONVIF, whole and whatever its case."""
        return self._by_name.get(name.strip().casefold())


# --- ports.yaml -------------------------------------------------------------------------------------------------------


class KnownPort(_Row):
    """A TCP port: what listens there, the risk, how to close it. `speaks` is the clear-text service it is meant for."""

    port: Port
    name: Text
    what: Text
    risk: Text
    close: Text
    speaks: Literal["telnet", "ftp"] | None = None


class PortTable(Table):
    """The ports that are tried, and those that are never a surprise."""

    expected: tuple[Port, ...]
    ports: tuple[KnownPort, ...]
    _in_use: int | None = None
    _by_number: dict[int, KnownPort]

    def model_post_init(self, _context: object, /) -> None:
        self._by_number = {row.port: row for row in self.ports}

    def faults(self) -> Iterator[Fault]:
        seen: set[int] = set()
        for i, row in enumerate(self.ports):
            if row.port in seen:
                yield ("ports", i), "this port stands twice"
            seen.add(row.port)

    def through(self, port: int) -> Self:
        """The same table for a camera that we spoke to through this port: it cannot surprise us either."""
        used = self.model_copy()
        used._in_use = port  # noqa: SLF001 - a private field is one that no file can set
        return used

    def is_expected(self, port: int) -> bool:
        return port == self._in_use or port in self.expected

    def get(self, port: int) -> KnownPort | None:
        return self._by_number.get(port)

    @property
    def numbers(self) -> tuple[int, ...]:
        """All of them, in order: the ports to try by default."""
        return tuple(sorted(self._by_number))

    def meant_for(self, service: str) -> tuple[int, ...]:
        return tuple(row.port for row in self.ports if row.speaks == service)


# --- policy.yaml ------------------------------------------------------------------------------------------------------


class ClockPolicy(_Row):
    skew_limit_s: Annotated[float, Field(gt=0, strict=False)]


class AccountPolicy(_Row):
    administrators: Annotated[int, Field(ge=1)]


class TlsPolicy(_Row):
    """`days_left`: a certificate that ends within so many days fails. `weak_hashes` are written like "sha1"."""

    days_left: Annotated[int, Field(ge=0)]
    rsa_bits: Annotated[int, Field(ge=1024)]
    weak_hashes: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+$")], ...]


class Policy(Table):
    """The limits against which cameras are judged."""

    clock: ClockPolicy
    accounts: AccountPolicy
    tls: TlsPolicy


# --- oui.yaml ---------------------------------------------------------------------------------------------------------


class MacBlocks(_Row):
    """Assigned blocks by their first 24 bits, in upper case: "00408C"."""

    maker: Text
    prefixes: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9A-F]{6}$")], ...] = Field(min_length=1)


class MacRegistry(Table):
    """To which makers of cameras blocks of MAC addresses are assigned."""

    makers: tuple[MacBlocks, ...]
    _by_prefix: dict[str, str]

    def model_post_init(self, _context: object, /) -> None:
        self._by_prefix = {prefix: row.maker for row in self.makers for prefix in row.prefixes}

    def faults(self) -> Iterator[Fault]:
        seen: set[str] = set()
        for m, row in enumerate(self.makers):
            for p, prefix in enumerate(row.prefixes):
                if prefix in seen:
                    yield ("makers", m, "prefixes", p), "this block stands twice"
                seen.add(prefix)

    def maker(self, mac: str | None) -> str | None:
        """Whose block this MAC is of, in whatever way it is written; `None` where that is not known."""
        return self._by_prefix.get(re.sub(r"[^0-9A-F]", "", (mac or "").upper())[:6])


# --- enterprises.yaml -------------------------------------------------------------------------------------------------


class EnterpriseNumbers(_Row):
    maker: Text
    numbers: tuple[Annotated[int, Field(ge=1, lt=2**31)], ...] = Field(min_length=1)


class EnterpriseRegistry(Table):
    """Which makers of devices have which private enterprise numbers."""

    makers: tuple[EnterpriseNumbers, ...]
    _by_number: dict[int, str]

    def model_post_init(self, _context: object, /) -> None:
        self._by_number = {number: row.maker for row in self.makers for number in row.numbers}

    def faults(self) -> Iterator[Fault]:
        seen: set[int] = set()
        for m, row in enumerate(self.makers):
            for n, number in enumerate(row.numbers):
                if number in seen:
                    yield ("makers", m, "numbers", n), "this number stands twice"
                seen.add(number)

    def maker(self, number: int | None) -> str | None:
        """Whose number this is; `None` where that is not known."""
        return None if number is None else self._by_number.get(number)
