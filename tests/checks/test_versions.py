"""Which firmware is older: the strings that vendors really write."""

from datetime import date
from typing import get_args

import pytest

from scanners import versions
from scanners.knowledge.tables import VendorReleases
from scanners.versions import Order, Version

PARSED = {
    "Axis": ("axis", "12.11.77", Version("axis", (12, 11, 77))),
    "Axis with four numbers": ("axis", "9.80.3.11", Version("axis", (9, 80, 3, 11))),
    "Axis in development": (
        "axis",
        "12.6+snapshot-20250722",
        Version("axis/SNAPSHOT", (12, 6), date(2025, 7, 22)),
    ),
    "Hikvision": ("hikvision", "V5.7.3 build 220112", Version("hikvision", (5, 7, 3), date(2022, 1, 12))),
    "Hikvision without V": ("hikvision", "5.7.3 Build 220112", Version("hikvision", (5, 7, 3), date(2022, 1, 12))),
    "Hikvision without a build": ("hikvision", "V5.7.3", Version("hikvision", (5, 7, 3))),
    "Dahua": (
        "dahua",
        "2.820.0000000.48.R, Build Date 2022-06-14",
        Version("dahua", (2, 820, 48), date(2022, 6, 14)),
    ),
    "Dahua with a colon": (
        "dahua",
        "2.820.0000000.48.R, Build Date: 2022-06-14",
        Version("dahua", (2, 820, 48), date(2022, 6, 14)),
    ),
    "Dahua as in file names": ("dahua", "V2.800.0000000.16.R.220609", Version("dahua", (2, 800, 16), date(2022, 6, 9))),
    "Dahua without a date": ("dahua", "2.800.0000000.16.R", Version("dahua", (2, 800, 16))),
    "Dahua, a test build": ("dahua", "2.800.0000000.16.T", Version("dahua/T", (2, 800, 16))),
    "Honeywell": ("dahua", "1.000.HW00.21.20190812", Version("dahua/HW00", (1, 0, 21), date(2019, 8, 12))),
    "Hanwha": ("hanwha", "1.41.18_20231115_R455", Version("hanwha", (1, 41, 18), date(2023, 11, 15), 455)),
    "Hanwha, numbers only": ("hanwha", "1.41.16", Version("hanwha", (1, 41, 16))),
    "Bosch": ("dotted", "7.80.0128", Version("dotted", (7, 80, 128))),
    "blanks around": ("axis", "  12.11.77 ", Version("axis", (12, 11, 77))),
}

UNREADABLE = {
    "nothing": ("axis", ""),
    "a word": ("axis", "latest"),
    "one number": ("axis", "12"),
    "something behind": ("axis", "12.11.77 beta"),
    "something before": ("hikvision", "Firmware V5.7.3"),
    "digits of another script": ("axis", "\u0661\u0662.11.77"),
    "a letter that only looks like s": ("dahua", "2.800.0000000.16.\u017f"),
    "a number too long": ("axis", "12.1234567890"),
    "a text too long": ("axis", "1." * 200 + "1"),
    "a build on no day": ("hikvision", "V5.7.3 build 229999"),
    "a build of five digits": ("hikvision", "V5.7.3 build 22011"),
    "Hikvision's way on an Axis": ("axis", "V5.7.3 build 220112"),
    "Uniview": ("dotted", "IPC_G6202-B1013P67D1901C3L4"),
    "a Uniview recorder": ("dotted", "NVR-B3801.20.17.240507"),
    "Mobotix": ("dotted", "MX-V5.4.9.4-r3"),
    "Vivotek": ("dotted", "FD9389-VVTK-0103f"),
    "TP-Link": ("dotted", "1.1.5 Build 250518 Rel.45678"),
}

OLDER = {
    "a later build number": ("axis", "10.12.130", "10.12.262"),
    "numbers, not letters": ("axis", "9.80.3.11", "9.80.132"),
    "another major version": ("axis", "9.80.132", "10.12.1"),
    "a fourth number": ("axis", "9.80.3", "9.80.3.11"),
    "Hikvision's numbers before its date": ("hikvision", "V5.5.80 build 220911", "V5.7.3 build 220112"),
    "the same numbers, an earlier build": ("hikvision", "V5.7.3 build 211231", "V5.7.3 build 220112"),
    "different numbers, one build missing": ("hikvision", "V5.7.1", "V5.7.3 build 220112"),
    "Dahua's last number": ("dahua", "2.800.0000000.8.R, Build Date 2022-09-21", "2.800.0000000.16.R.210609"),
    "two ways of one date": ("dahua", "V2.800.0000000.16.R.220608", "2.800.0000000.16.R, Build Date 2022-06-09"),
    "one OEM's": ("dahua", "1.000.HW00.20.20200101", "1.000.HW00.21.20190812"),
    "Hanwha's date": ("hanwha", "1.41.18_20231114_R455", "1.41.18_20231115_R455"),
    "Hanwha's rebuild": ("hanwha", "1.41.18_20231115_R454", "1.41.18_20231115_R455"),
    "two snapshots": ("axis", "12.6+snapshot-20250721", "12.6+snapshot-20250722"),
}

UNKNOWN = {
    "two OEMs": ("dahua", "1.000.HW00.21.20190812", "2.800.0000000.16.R.220609"),
    "a test build and a release": ("dahua", "2.800.0000000.16.T", "2.800.0000000.16.R"),
    "a snapshot and a release": ("axis", "12.6+snapshot-20250722", "12.11.77"),
    "the same numbers, one build missing": ("hikvision", "V5.7.3", "V5.7.3 build 220112"),
    "the same numbers and date, one rebuild missing": ("hanwha", "1.41.18_20231115", "1.41.18_20231115_R455"),
    "the same numbers, one without anything": ("hanwha", "1.41.18", "1.41.18_20231115_R455"),
}

SAME = {
    "letter by letter": ("axis", "12.11.77", "12.11.77"),
    "a zero behind": ("axis", "10.12", "10.12.0"),
    "leading zeros": ("dotted", "7.80.0128", "7.80.128"),
    "two ways of one version": ("dahua", "V2.800.0000000.16.R.220609", "2.800.0000000.16.R, Build Date 2022-06-09"),
    "neither has a build": ("hikvision", "V5.7.3", "5.7.3"),
    "an OEM tag in another case": ("dahua", "1.000.hw00.21", "1.000.HW00.21"),
}

MIRRORED = {Order.OLDER: Order.NEWER, Order.SAME: Order.SAME, Order.UNKNOWN: Order.UNKNOWN}
COMPARED = {
    f"{order}: {name}": (*row, order)
    for order, rows in {Order.OLDER: OLDER, Order.UNKNOWN: UNKNOWN, Order.SAME: SAME}.items()
    for name, row in rows.items()
}


@pytest.mark.parametrize(("scheme", "text", "expected"), PARSED.values(), ids=PARSED)
def test_reads_what_vendors_write(scheme: str, text: str, expected: Version) -> None:
    assert versions.parse(scheme, text) == expected


@pytest.mark.parametrize(("scheme", "text"), UNREADABLE.values(), ids=UNREADABLE)
def test_does_not_guess(scheme: str, text: str) -> None:
    assert versions.parse(scheme, text) is None


@pytest.mark.parametrize(("scheme", "one", "other", "expected"), COMPARED.values(), ids=COMPARED)
def test_compares_both_ways(scheme: str, one: str, other: str, expected: Order) -> None:
    first, second = versions.parse(scheme, one), versions.parse(scheme, other)
    assert first is not None
    assert second is not None
    assert versions.compare(first, second) is expected
    assert versions.compare(second, first) is MIRRORED[expected]


def test_two_vendors_never_compare() -> None:
    assert versions.compare(Version("axis", (1, 2)), Version("hanwha", (1, 2))) is Order.UNKNOWN


def test_the_catalogue_may_name_exactly_the_schemes_there_are() -> None:
    assert get_args(VendorReleases.model_fields["scheme"].annotation) == versions.SCHEMES
