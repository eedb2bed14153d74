"""The bundled tables say what the rest relies on; a broken file is named with its line, and never quoted."""

import textwrap
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import ValidationError

from cameras.secret import Secret
from scanners.knowledge import (
    DefaultCredentials,
    DefaultPair,
    EnterpriseRegistry,
    FirmwareCatalogue,
    KnowledgeError,
    MacRegistry,
    Policy,
    PortTable,
    Table,
    enterprise_registry,
    load_knowledge,
    mac_registry,
)
from scanners.knowledge.reading import read_table
from tests.checks.evidence import KNOWLEDGE

PORTS = (
    *(21, 22, 23, 80, 81, 443, 554, 1935, 2020, 2121, 2323, 3702, 5000, 8000, 8080, 8081),
    *(8443, 8554, 8899, 9000, 9527, 9530, 34567, 37777, 49152),
)
PAIRS = {
    "axis": ("/axis-cgi/usergroup.cgi", {("root", "pass")}),
    "hikvision": ("/ISAPI/Security/userCheck", {("admin", "12345")}),
    "dahua": ("/cgi-bin/magicBox.cgi?action=getDeviceType", {("admin", "admin"), ("888888", "888888")}),
    "hanwha": ("/stw-cgi/system.cgi?msubmenu=deviceinfo&action=view", {("admin", "4321")}),
}
NEWEST = {
    ("AXIS", "P3265-V"): "12.11.77",
    ("AXIS", "M3106-L Mk II"): "10.12.262",
    ("AXIS", "P1375"): "11.11.181",
    ("HIKVISION", "DS-2CD2143G2-I"): "V5.7.3 build 220112",
    ("HIKVISION", "DS-2CD2046G2-IU/SL"): "V5.7.1 build 210628",
    ("Dahua", "IPC-HDW2831T-ZS"): "2.820.0000000.48.R, Build Date 2022-06-14",
    ("Dahua", "IPC-HFW5442E-ZE"): "2.840.0000000.18.R, Build Date 2023-06-06",
    ("Hanwha Vision", "QNO-6082R"): "1.41.18_20231115_R455",
    ("Hanwha Vision", "XNV-8080R"): "1.41.16_20221205_R420",
}


def test_the_ports_to_try() -> None:
    assert KNOWLEDGE.ports.numbers == PORTS
    assert (KNOWLEDGE.ports.meant_for("telnet"), KNOWLEDGE.ports.meant_for("ftp")) == ((23, 2323), (21, 2121))


def test_the_documented_pairs() -> None:
    told = {
        vendor.vendor: (vendor.login_path, {(pair.account, pair.password.reveal()) for pair in vendor.pairs})
        for vendor in KNOWLEDGE.default_credentials.vendors
    }
    assert told == PAIRS


VENDORS = {
    "AXIS": "axis",
    "axis ": "axis",
    "HIKVISION": "hikvision",
    "Dahua": "dahua",
    "Hanwha Vision": "hanwha",
    "Hanwha Techwin": "hanwha",
    "Samsung Techwin": "hanwha",
    "Samsung": None,
    "Northlight": None,
    "": None,
}


@pytest.mark.parametrize(("name", "vendor"), VENDORS.items())
def test_a_manufacturer_finds_its_pairs_by_its_whole_name(name: str, vendor: str | None) -> None:
    found = KNOWLEDGE.default_credentials.for_manufacturer(name)
    assert (found.vendor if found else None) == vendor


def test_the_illustrated_firmware() -> None:
    rows = {
        (vendor.manufacturers[0], release.model): release.newest
        for vendor in KNOWLEDGE.firmware.vendors
        for release in vendor.models
    }
    assert rows == NEWEST


def test_the_limits() -> None:
    policy = KNOWLEDGE.policy
    assert (policy.clock.skew_limit_s, policy.accounts.administrators) == (10, 2)
    assert (policy.tls.days_left, policy.tls.rsa_bits) == (30, 2048)
    assert {"md5", "sha1"} <= set(policy.tls.weak_hashes)


def test_every_table_answers_by_its_type_and_knows_its_day() -> None:
    for table in (FirmwareCatalogue, DefaultCredentials, PortTable, Policy):
        answer = KNOWLEDGE.answer(table)
        assert type(answer) is table
        assert isinstance(answer, Table)
        assert answer.dated >= date(2026, 1, 1)
    with pytest.raises(KeyError):
        KNOWLEDGE.answer(int)


def test_every_file_of_the_folder_is_loaded() -> None:
    names = {entry.name for entry in files("scanners.knowledge").iterdir() if entry.name.endswith(".yaml")}
    expected = {"default_credentials", "enterprises", "firmware", "oui", "policy", "ports"}
    assert names == {f"{name}.yaml" for name in expected}


def test_a_visit_changes_only_its_own_copy() -> None:
    visit = KNOWLEDGE.for_visit(date(2027, 1, 1), 8080)
    assert visit.firmware.age_days == (date(2027, 1, 1) - KNOWLEDGE.firmware.dated).days
    assert KNOWLEDGE.firmware.age_days is None
    assert (visit.ports.is_expected(8080), KNOWLEDGE.ports.is_expected(8080)) == (True, False)


def test_knowledge_is_read_once() -> None:
    assert load_knowledge() is load_knowledge()


def test_a_catalogue_of_the_user_replaces_only_the_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(CATALOGUE)
    mine = load_knowledge(path)
    assert mine.firmware.scheme("Mine", "M-1") == "dotted"
    assert mine.firmware.scheme("AXIS", "P3265-V") is None
    assert mine.ports == KNOWLEDGE.ports


def test_a_password_does_not_show(capsys: pytest.CaptureFixture[str]) -> None:
    pair = KNOWLEDGE.default_credentials.vendors[1].pairs[0]
    assert isinstance(pair.password, Secret)
    print(pair, repr(pair))  # noqa: T201 - the point
    assert pair.password.reveal() not in capsys.readouterr().out.replace(pair.id, "")


CATALOGUE = """\
format: camwarden/firmware/1
dated: 2026-11-21
sources: [a test]
vendors:
  - manufacturers: [Mine]
    scheme: dotted
    models:
      - {model: M-1, newest: "1.2.3"}
      - {model: M-2, newest: "1.2.3"}
"""

# What is changed in the catalogue above, the line that must be named, and words of the message.
BROKEN = {
    "another format": ("firmware/1", "firmware/2", 1, "format"),
    "no such day": ("2026-11-21", "2026-13-21", 2, "dated"),
    "a day that is no day": ("2026-11-21", "soon", 2, "dated"),
    "no sources": ("sources: [a test]", "sources: []", 3, "sources"),
    "a missing key": ("    scheme: dotted\n", "", 5, "scheme"),
    "an unknown key": ("scheme: dotted", "scheme: dotted\n    colour: red", 7, "colour"),
    "an unknown scheme": ("scheme: dotted", "scheme: guess", 6, "scheme"),
    "a version that YAML takes for a number": (
        '"1.2.3"}\n      - {model: M-2',
        "1.2}\n      - {model: M-2",
        8,
        "newest",
    ),
    "a version that the scheme cannot read": ('M-2, newest: "1.2.3"', 'M-2, newest: "new"', 9, "dotted"),
    "a model twice": ("M-2", "m-1", 9, "twice"),
    "a train that is no number": ('M-2, newest: "1.2.3"', 'M-2, newest: "1.2.3", train: LTS', 9, "train"),
    "a key twice": ("scheme: dotted", "scheme: dotted\n    scheme: axis", 7, "twice"),
    "a list for a key": ("scheme: dotted", "[a]: dotted", 6, "plain word"),
    "an alias": ("[Mine]\n", "&a [Mine]\n    scheme2: *a\n", 6, "alias"),
    "a private field": ("sources:", "_judged_on: 2026-01-01\nsources:", 3, "_judged_on"),
    "not YAML": ("[Mine]", "[Mine", 6, "not YAML"),
    "a Python object": ("[a test]", "[!!python/object:os.system {}]", 3, "tags"),
    "a tab": ("    scheme", "\t    scheme", 6, "not YAML"),
}


@pytest.mark.parametrize(("old", "new", "line", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_catalogue_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in CATALOGUE
    path = tmp_path / "mine.yaml"
    path.write_text(CATALOGUE.replace(old, new, 1))
    with pytest.raises(KnowledgeError) as raised:
        load_knowledge(path)
    assert str(raised.value).startswith(f"{path}, line {line}: ")
    assert words in str(raised.value)


BYTES = {
    "an empty file": (b"", 1, "empty"),
    "only a comment": (b"# nothing\n", 1, "empty"),
    "a list": (b"- a\n", 1, "the file"),
    "a word": (b"a\n", 1, "the file"),
    "not UTF-8": (b"format: x\ndated: \xff\n", 2, "UTF-8"),
    "a control character": (b"format: \x00\n", 1, "not YAML"),
    "lists without end": (b"[" * 50000, 1, "deep"),
    "too large": (b"#" * (8 * 1024 * 1024 + 1), 1, "larger"),
    "two documents": (b"a: 1\n---\nb: 1\n", 2, "not YAML"),
}


@pytest.mark.parametrize(("content", "line", "words"), BYTES.values(), ids=BYTES)
def test_what_is_no_catalogue_at_all_is_named_too(tmp_path: Path, content: bytes, line: int, words: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(KnowledgeError) as raised:
        read_table(path, FirmwareCatalogue)
    assert str(raised.value).startswith(f"{path}, line {line}: ")
    assert words in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"none\.yaml, line 1: cannot be read"):
        load_knowledge(tmp_path / "none.yaml")


CREDENTIALS = """\
dated: 2026-11-21
sources: [a test]
vendors:
  - vendor: mine
    manufacturers: [Mine]
    login_path: /login
    pairs:
      - {id: mine-a, account: a, password: "s3cret", applies: all, source: a manual}
"""
BROKEN_CREDENTIALS = {
    "a password without quotes": ('"s3cret"', "77777", 8, "quotes"),
    "a password that YAML takes for a tag": ('"s3cret"', "!77777", 8, "tags"),
    "a path on another host": ("/login", "//evil.example /", 6, "login_path"),
    "a pair without its source": (", source: a manual", "", 8, "source"),
    "a manufacturer twice": ("[Mine]", "[Mine, mine]", 5, "twice"),
    "a key that is not known": ("applies", "s3crets", 8, "pairs"),
}


@pytest.mark.parametrize(("old", "new", "line", "words"), BROKEN_CREDENTIALS.values(), ids=BROKEN_CREDENTIALS)
def test_a_broken_pair_is_named_without_its_password(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    path = tmp_path / "pairs.yaml"
    path.write_text(CREDENTIALS.replace(old, new, 1))
    with pytest.raises(KnowledgeError) as raised:
        read_table(path, DefaultCredentials)
    assert str(raised.value).startswith(f"{path}, line {line}: ")
    assert words in str(raised.value)
    assert "s3cret," not in str(raised.value)
    assert "77777" not in str(raised.value)


def test_a_rejected_row_does_not_show_its_password() -> None:
    with pytest.raises(ValidationError) as raised:
        DefaultPair.model_validate({"id": "mine-a", "account": "a", "password": "s3cret"})
    assert "s3cret" not in str(raised.value)


def test_a_port_twice_is_named(tmp_path: Path) -> None:
    row = '{port: 23, name: "a", what: "b", risk: "c", close: "d"}'
    path = tmp_path / "ports.yaml"
    text = f"""\
        dated: 2026-11-21
        sources: [a test]
        expected: []
        ports:
          - {row}
          - {row}
        """
    path.write_text(textwrap.dedent(text))
    with pytest.raises(KnowledgeError, match=r"line 6: ports\.1: this port stands twice"):
        read_table(path, PortTable)


MACS = {
    "b8:a4:4f:00:00:01": "Axis Communications",
    "BC-BA-C2-EF-F0-AA": "Hikvision",
    "3cef8c112233": "Dahua Technology",
    "0009.1811.2233": "Hanwha (Samsung Techwin)",
    "02:4e:4c:00:00:01": None,
    "": None,
    None: None,
    "B8:A4": None,
    "not a MAC": None,
}


@pytest.mark.parametrize(("mac", "maker"), MACS.items())
def test_a_mac_hints_at_its_maker_however_it_is_written(mac: str | None, maker: str | None) -> None:
    assert mac_registry().maker(mac) == maker


def test_a_block_of_macs_twice_is_named(tmp_path: Path) -> None:
    path = tmp_path / "oui.yaml"
    rows = """\
        dated: 2026-11-21
        sources: [a test]
        makers:
          - {maker: one, prefixes: ["00408C"]}
          - {maker: two, prefixes: ["00408D", "00408C"]}
        """
    path.write_text(textwrap.dedent(rows))
    with pytest.raises(KnowledgeError, match=r"line 5: makers\.1\.prefixes\.1: this block stands twice"):
        read_table(path, MacRegistry)


ENTERPRISES = {
    368: "Axis Communications",
    39165: "Hikvision",
    37496: "Dahua Technology",
    36849: "Hanwha (Samsung Techwin)",
    9: "Cisco",
    8072: None,
    50001: None,
    0: None,
    None: None,
}


@pytest.mark.parametrize(("number", "maker"), ENTERPRISES.items())
def test_an_enterprise_number_hints_at_its_maker(number: int | None, maker: str | None) -> None:
    assert enterprise_registry().maker(number) == maker


def test_makers_have_one_name_whatever_hints_at_them() -> None:
    by_mac = {row.maker for row in mac_registry().makers}
    by_number = {row.maker for row in enterprise_registry().makers}
    for name in by_mac:
        alike = {other for other in by_number if other.split()[0] == name.split()[0]}
        assert alike <= {name}


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ("[368, 11, 368]", r"line 4: makers\.0\.numbers\.2: this number stands twice"),
        ("[0]", r"line 4: makers\.0\.numbers\.0"),
        ("[2147483648]", r"line 4: makers\.0\.numbers\.0"),
        ("[]", r"line 4: makers\.0\.numbers"),
    ],
    ids=["twice", "nobody's", "beyond 31 bits", "none"],
)
def test_a_broken_row_of_enterprises_is_named(tmp_path: Path, numbers: str, words: str) -> None:
    path = tmp_path / "enterprises.yaml"
    path.write_text(f"dated: 2026-11-21\nsources: [a test]\nmakers:\n  - {{maker: one, numbers: {numbers}}}\n")
    with pytest.raises(KnowledgeError, match=words):
        read_table(path, EnterpriseRegistry)


def test_the_id_of_a_pair_does_not_give_its_password_away() -> None:
    pairs = [pair for vendor in load_knowledge().default_credentials.vendors for pair in vendor.pairs]
    telling = [
        pair.id for pair in pairs if pair.password.reveal() in pair.id and pair.password.reveal() != pair.account
    ]
    assert pairs
    assert not telling
