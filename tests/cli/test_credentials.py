"""The credentials file: what it gives to which camera, and what is wrong with a bad one."""

import logging
from pathlib import Path

import pytest

from cameras.secret import Credential, Secret
from scanners.credentials import CredentialRule, CredentialsError, for_address, load_credentials

SECRET = "hunter2-nobody-may-see-this"


def write(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "credentials.yaml"
    path.write_text(text)
    path.chmod(mode)
    return path


GOOD = {
    "a password in the file": ('- {match: "*", username: a, password: "p w"}', [("*", "a", "p w")]),
    "an empty password": ('- {match: "*", username: a, password: ""}', [("*", "a", "")]),
    "a password from the environment": (
        '- {match: "10.0.0.5", username: a, password_env: CAM_PW}',
        [("10.0.0.5", "a", "env")],
    ),
    "a password from a file beside it": (
        '- {match: "10.0.0.0/24", username: a, password_file: pw}',
        [("10.0.0.0/24", "a", "file ")],
    ),
    "an IPv6 network": ('- {match: "2001:db8::/32", username: a, password: p}', [("2001:db8::/32", "a", "p")]),
    "a /32 is the address": ('- {match: "10.0.0.5/32", username: a, password: p}', [("10.0.0.5", "a", "p")]),
    "an address in other letters": (
        '- {match: "2001:DB8:0::5", username: a, password: p}',
        [("2001:db8::5", "a", "p")],
    ),
    "no rule at all": ("[]", []),
    "two rules in their order": (
        "- match: '*'\n  username: a\n  password: p\n- match: 10.0.0.5\n  username: b\n  password: q\n",
        [("*", "a", "p"), ("10.0.0.5", "b", "q")],
    ),
}


@pytest.mark.parametrize(("text", "expected"), GOOD.values(), ids=GOOD)
def test_reads(
    text: str, expected: list[tuple[str, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAM_PW", "env")
    (tmp_path / "pw").write_text("file \n")
    rules = load_credentials(write(tmp_path, text))
    assert [(r.match, r.credential.username, r.credential.password.reveal()) for r in rules] == expected


BAD = {
    "nothing in it": ("", 1, "write a list"),
    "a mapping instead of a list": (f"password: {SECRET}", 1, "write a list"),
    "a word instead of a rule": (f"- {SECRET}", 1, "write `match`"),
    "broken YAML": (f'- match: "*"\n  password: "{SECRET}', 2, "not YAML"),
    "an unknown escape": (f'- match: "*"\n  password: "\\{SECRET}"', 2, "not YAML"),
    "an unknown key": (f"- match: '*'\n  username: a\n  pass: {SECRET}", 3, "an unknown key"),
    "a key that swallowed its value": (f"- match: '*'\n  username: a\n  ? password:{SECRET}\n", 3, "an unknown key"),
    "a key given twice": (f"- match: '*'\n  password: {SECRET}\n  password: b\n  username: a", 3, "given twice"),
    "no user name": (f"- match: '*'\n  password: {SECRET}", 1, "`username` is missing"),
    "an empty user name": (f"- match: '*'\n  username: ''\n  password: {SECRET}", 2, "`username` is empty"),
    "no match": (f"- username: a\n  password: {SECRET}", 1, "`match` is missing"),
    "no password": ("- match: '*'\n  username: a", 1, "exactly one of"),
    "two passwords": (f"- {{match: '*', username: a, password: {SECRET}, password_env: X}}", 1, "exactly one of"),
    "a number for a password": ("- match: '*'\n  username: a\n  password: 12345", 3, "put it in quotes"),
    "a list for a password": (f"- match: '*'\n  username: a\n  password: [{SECRET}]", 3, "must be text"),
    "a host name to match": (f"- match: {SECRET}.example\n  username: a\n  password: p", 1, "must be an address"),
    "an address inside a network": ("- match: 10.0.0.5/24\n  username: a\n  password: p", 1, "must be an address"),
    "a variable that is not set": (f"- match: '*'\n  username: a\n  password_env: {SECRET}", 3, "not set"),
    "a password file that is not there": (
        f"- match: '*'\n  username: a\n  password_file: {SECRET}",
        3,
        "cannot be read",
    ),
    "an empty name of a password file": ("- match: '*'\n  username: a\n  password_file: ''", 3, "is empty"),
    "a folder as password file": ("- match: '*'\n  username: a\n  password_file: .", 3, "cannot be read"),
}


@pytest.mark.parametrize(("text", "line", "words"), BAD.values(), ids=BAD)
def test_names_the_line_and_never_the_value(text: str, line: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(CredentialsError) as caught:
        load_credentials(write(tmp_path, text))
    assert f"line {line}:" in str(caught.value)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match=r"nowhere\.yaml: cannot be read"):
        load_credentials(tmp_path / "nowhere.yaml")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "credentials.yaml"
    path.write_bytes(b"- a\n- \xff\xfe\n")
    with pytest.raises(CredentialsError, match="line 2: this is not UTF-8"):
        load_credentials(path)


def test_a_file_without_end(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="larger than"):
        load_credentials(write(tmp_path, "# " + "x" * 1_100_000))


@pytest.mark.parametrize(("mode", "warns"), [(0o600, False), (0o640, True), (0o604, True)])
def test_warns_of_a_file_that_others_can_read(
    mode: int, warns: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    load_credentials(write(tmp_path, f'- {{match: "*", username: a, password: {SECRET}}}', mode))
    assert ("chmod 600" in caplog.text) is warns
    assert SECRET not in caplog.text


def rules(*matches: str) -> list[CredentialRule]:
    return [CredentialRule(match, Credential(f"{match} #{i}", Secret("p"))) for i, match in enumerate(matches)]


CHOICES = {
    "the address beats its network": (("*", "10.0.0.0/24", "10.0.0.5"), "10.0.0.5", ["10.0.0.5 #2"]),
    "the smaller network beats the larger": (("10.0.0.0/8", "10.0.0.0/24"), "10.0.0.5", ["10.0.0.0/24 #1"]),
    "the star takes the rest": (("10.0.0.0/24", "*"), "10.0.1.5", ["* #1"]),
    "the same match twice is tried in order": (
        ("*", "10.0.0.5", "10.0.0.5"),
        "10.0.0.5",
        ["10.0.0.5 #1", "10.0.0.5 #2"],
    ),
    "nothing matches": (("10.0.0.0/24",), "10.0.1.5", []),
    "IPv4 rules say nothing of IPv6": (("0.0.0.0/0",), "2001:db8::5", []),
    "an IPv6 network": (("2001:db8::/32", "*"), "2001:db8::5", ["2001:db8::/32 #0"]),
    "no rules": ((), "10.0.0.5", []),
}


@pytest.mark.parametrize(("matches", "address", "expected"), CHOICES.values(), ids=CHOICES)
def test_the_closest_match_wins(matches: tuple[str, ...], address: str, expected: list[str]) -> None:
    assert [credential.username for credential in for_address(rules(*matches), address)] == expected
