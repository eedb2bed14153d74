"""Baselines are read strictly: what is wrong is named with its line, and never guessed."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from hardening.baseline import BUNDLED, BaselineError, from_values, load_baseline
from hardening.settings import BY_NAME, SETTINGS

HEAD = "format: camwarden/baseline/1\nname: ours\nsettings:\n"
OVER = "format: camwarden/overrides/1\nsite: depot\nsettings:\n"

BAD: Mapping[str, tuple[str, str]] = {
    "empty": ("", "line 1: the file is empty"),
    "not YAML": ("a: [", "line 1: this is not YAML"),
    "a list": ("- 1\n", "line 1: write `format`, `name` and `settings`"),
    "no format": ("name: ours\nsettings: {https: on}\n", "line 1: `format`: this key is missing"),
    "another format": ("format: x\nname: ours\nsettings: {https: on}\n", "line 1: `format`: write 'camwarden/basel"),
    "an unknown key at the top": (
        HEAD + "  https: on\nsite: a\n",
        "line 5: `site`: there is no such key; write",
    ),
    "a misspelt setting": (
        HEAD + "  telnet: off\n",
        "line 4: `settings.telnet`: there is no such key; write one of ntp",
    ),
    "a misspelt key of a setting": (
        HEAD + "  ntp:\n    server: [10.0.0.1]\n",
        "line 5: `settings.ntp.server`: there is no such key; write one of servers, from_dhcp, keep",
    ),
    "a key twice": (HEAD + "  https: on\n  https: on\n", "line 5: this key is given twice"),
    "an alias": (HEAD + "  https: &a on\n  http: *a\n", "line 5: aliases"),
    "a tag": (HEAD + "  https: !secret on\n", "line 4: tags"),
    "nested without end": ("[" * 100 + "]" * 100, "line 1: this is nested too deeply"),
    "HTTPS off": (HEAD + "  https: off\n", "line 4: `settings.https`: write on, or leave the key out"),
    "Telnet on": (HEAD + "  telnet-ftp: on\n", "line 4: `settings.telnet-ftp`: write off, or leave the key out"),
    "HTTP off without HTTPS": (HEAD + "  http: off\n", "line 4: `settings.http`: with HTTP off there must be another"),
    "a word for a switch": (HEAD + "  https: on\n  http: never\n", "line 5: `settings.http`: write on or off"),
    "a number for a switch": (HEAD + "  discovery-mode: 0\n", "line 4: `settings.discovery-mode`: write on or off"),
    "no such address": (HEAD + "  ntp: {servers: [10.0.0.999]}\n", "`settings.ntp.servers.0`: this is no address"),
    "no such host": (HEAD + "  ntp: {servers: ['a b']}\n", "write an address such as 10.0.0.1, or a host name"),
    "a server that is no list": (HEAD + "  ntp: {servers: 10.0.0.1}\n", "line 4: `settings.ntp.servers`: this should"),
    "a time source without one": (HEAD + "  ntp: {keep: on}\n", "line 4: `settings.ntp`: write `servers: [ADDRESS]`"),
    "a setting without its keys": (HEAD + "  syslog: on\n", "write its keys below it: server, port, protocol"),
    "a port too far": (HEAD + "  syslog: {server: a, port: 70000}\n", "`settings.syslog.port`: this should be less"),
    "a password": (
        HEAD + "  service-account: {name: a, role: User, password: hunter2}\n",
        "`settings.service-account.password`: there is no such key; write one of name, role",
    ),
    "an administrator for machines": (
        HEAD + "  service-account: {name: a, role: Administrator}\n",
        "`settings.service-account.role`: write 'Operator' or 'User'",
    ),
    "nothing wanted": (HEAD.replace("settings:", "settings: {}"), "it wants nothing"),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ours.yaml"


@pytest.mark.parametrize(("text", "says"), BAD.values(), ids=BAD)
def test_a_fault_is_named_with_file_and_line(file: Path, text: str, says: str) -> None:
    file.write_text(text)
    with pytest.raises(BaselineError) as caught:
        load_baseline(str(file))
    assert str(caught.value).startswith(str(file))
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_not_there_and_a_name_that_nobody_gave(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="cannot be read"):
        load_baseline(str(tmp_path / "none.yaml"))
    with pytest.raises(BaselineError, match="write one of essential, strict, or a file"):
        load_baseline("esential")


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_baseline_is_readable_and_says_why(name: str) -> None:
    baseline = load_baseline(name)
    assert baseline.name == name
    assert [setting.name for setting, _ in baseline.wanted()] == list(baseline.settings)
    text = (Path(__file__).parents[2] / "hardening" / "baselines" / f"{name}.yaml").read_text()
    for setting in baseline.settings:
        before = text[: text.index(f"\n  {setting}:")].rstrip().splitlines()[-1].lstrip()
        assert before.startswith("#") or setting == "http", f"{setting} does not say why"


def test_every_bundled_file_is_in_the_list() -> None:
    folder = Path(__file__).parents[2] / "hardening" / "baselines"
    assert {path.stem for path in folder.glob("*.yaml")} == set(BUNDLED)


def test_strict_wants_all_that_essential_wants() -> None:
    assert load_baseline("essential").settings.items() <= load_baseline("strict").settings.items()


def test_a_site_overrides_key_by_key(file: Path, tmp_path: Path) -> None:
    file.write_text(HEAD + "  ntp: {servers: [10.0.0.1], keep: on}\n  https: on\n  http: off\n  discovery-mode: off\n")
    site = tmp_path / "site.yaml"
    site.write_text(OVER + "  ntp: {servers: [10.9.0.1]}\n  discovery-mode: null\n  syslog: {server: 10.9.0.2}\n")
    assert load_baseline(str(file), site).settings == {
        "ntp": {"servers": ["10.9.0.1"], "keep": True},
        "syslog": {"server": "10.9.0.2"},
        "https": True,
        "http": False,
    }


BAD_OVERRIDES: Mapping[str, tuple[str, str]] = {
    "a baseline in its place": (HEAD + "  https: on\n", "line 1: `format`: write 'camwarden/overrides/1'"),
    "a misspelt setting": (OVER + "  ntpp: {}\n", "line 4: `settings.ntpp`: there is no such key; write one of ntp"),
    "a key that is missing after all": (OVER + "  syslog: {port: 1}\n", "line 4: `settings.syslog.server`: this key"),
    "no other way in any more": (OVER + "  https: null\n  http: off\n", "line 5: `settings.http`: with HTTP off"),
}


@pytest.mark.parametrize(("text", "says"), BAD_OVERRIDES.values(), ids=BAD_OVERRIDES)
def test_a_fault_of_overrides_is_named_where_it_stands(file: Path, tmp_path: Path, text: str, says: str) -> None:
    file.write_text(HEAD + "  https: on\n")
    site = tmp_path / "site.yaml"
    site.write_text(text)
    with pytest.raises(BaselineError) as caught:
        load_baseline(str(file), site)
    assert str(caught.value).startswith(str(site))
    assert says in str(caught.value)


def test_the_digest_is_of_the_meaning(file: Path) -> None:
    file.write_text(HEAD + "  https: on\n  discovery-mode: off  # quiet\n")
    one = load_baseline(str(file)).digest
    file.write_text(HEAD + "  discovery-mode: off\n  https: on\n")
    assert load_baseline(str(file)).digest == one
    file.write_text(HEAD + "  discovery-mode: on\n  https: on\n")
    assert load_baseline(str(file)).digest != one


def test_a_stored_baseline_is_the_same_again() -> None:
    strict = load_baseline("strict")
    assert from_values(strict.name, dict(strict.settings)) == strict
    with pytest.raises(BaselineError, match="cannot be read"):
        from_values("odd", {"https": False})


def test_the_page_of_baselines_has_an_example_that_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "baselines.md").read_text()
    blocks = [part.partition("```")[0] for part in page.split("```yaml\n")[1:]]
    ours, site = (tmp_path / "ours.yaml", tmp_path / "site.yaml")
    ours.write_text(next(block for block in blocks if "camwarden/baseline/1" in block))
    site.write_text(next(block for block in blocks if "camwarden/overrides/1" in block))
    assert set(load_baseline(str(ours)).settings) == {setting.name for setting in SETTINGS}
    assert set(load_baseline(str(ours), site).settings) < set(BY_NAME)
    assert yaml.safe_load(site.read_text())["site"]
