"""The configuration: where it comes from, what wins, and what is refused without quoting it."""

import re
from pathlib import Path

import pytest

from fleet.errors import SettingsError
from fleet.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAMWARDEN_HOME", raising=False)


def test_the_reference_tells_of_every_setting_and_of_no_other() -> None:
    section = (ROOT / "docs" / "cli.md").read_text().partition("\n## Settings\n")[2].partition("\n## ")[0]
    told = [name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]
    assert sorted(told) == sorted(Settings.model_fields)


def test_nothing_set_listens_on_loopback_only() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.secure_cookies) == ("127.0.0.1", 8080, False)
    assert settings.home.name == "camwarden"


SECURE = {
    "loopback speaks plain HTTP": ("127.0.0.1", None, False),
    "IPv6 loopback too": ("::1", None, False),
    "any other address does not": ("0.0.0.0", None, True),  # noqa: S104 - the point
    "unless the operator says so": ("0.0.0.0", False, False),  # noqa: S104
    "and loopback may be told to": ("127.0.0.1", True, True),
}


@pytest.mark.parametrize(("host", "said", "secure"), SECURE.values(), ids=SECURE)
def test_cookies_are_secure_where_they_can_be(host: str, said: bool | None, secure: bool) -> None:
    assert load_settings(host=host, secure_cookies=said).secure_cookies is secure


def test_an_option_wins_over_a_variable_and_a_variable_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "camwarden.toml").write_text('port = 1001\nhost = "127.0.0.2"\ncameras_at_once = 7\n')
    monkeypatch.setenv("CAMWARDEN_PORT", "1002")
    monkeypatch.setenv("CAMWARDEN_HOST", "127.0.0.3")
    settings = load_settings(host="127.0.0.4", port=None)
    assert (settings.host, settings.port, settings.cameras_at_once) == ("127.0.0.4", 1002, 7)


REFUSED_FILES = {
    "an unknown key": ('pasword = "hunter2"\n', "pasword: no such setting"),
    "a value of another type": ('port = "hunter2"\n', "port: "),
    "a port that does not exist": ("port = 70000\n", "port: "),
    "no TOML": ("port = = hunter2\n", "line 1"),
    "a schedule that is no line of a crontab": ('scan_schedule = "hunter2"\n', "scan_schedule: write five fields"),
    "another one": ('accuracy_schedule = "0 25 * * *"\n', "accuracy_schedule: a number is too small or too large"),
    "a zone that does not exist": (
        'schedule_zone = "hunter2"\n',
        "schedule_zone: no time zone; write one such as Europe/",
    ),
    "a section": ("[hunter2]\nport = 1\n", "hunter2: no such setting"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED_FILES.values(), ids=REFUSED_FILES)
def test_a_file_that_cannot_be_used_names_the_key(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "other.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ['pasword = "hunter2"\n', 'port = "hunter2"\n', 'host = ["hunter2"]\n'])
def test_no_message_quotes_a_value(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_a_schedule_is_a_line_of_a_crontab(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text('scan_schedule = "0 2 * * sun"\naccuracy_schedule = " "\nschedule_zone = "Europe/Berlin"\n')
    settings = load_settings(path)
    assert (settings.scan_schedule, settings.accuracy_schedule) == ("0 2 * * sun", "")
    assert settings.schedule_zone == "Europe/Berlin"


@pytest.mark.parametrize("key", ["scan_schedule", "accuracy_schedule"])
def test_a_schedule_that_cannot_be_read_is_told_with_an_example(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv(f"CAMWARDEN_{key.upper()}", "hunter2 2 * * *")
    with pytest.raises(SettingsError, match=f'{key}: .*such as "0 2 [*] [*] [*]"') as caught:
        load_settings()
    assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_a_file_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path / "missing.toml")


def test_a_misspelt_variable_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMWARDEN_PROT", "hunter2")
    with pytest.raises(SettingsError, match="CAMWARDEN_PROT: no such setting") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1  # type: ignore[misc] # the point


ADDRESSES = {
    "over TCP": ("postgresql://camwarden@db.example:5432/camwarden", None),
    "a socket": ("postgresql:///camwarden?host=/var/run/postgresql", None),
    "with TLS": ("postgresql://camwarden@db.example/camwarden?sslmode=verify-full", None),
    "a password in it": ("postgresql://camwarden:hunter2@db.example/camwarden", "database_password_file"),
    "an empty password in it": ("postgresql://camwarden:@db.example/camwarden", "database_password_file"),
    "a password among its options": ("postgresql://db.example/camwarden?password=hunter2", "database_password_file"),
    "another database": ("mysql://db.example/camwarden", "write postgresql://"),
    "no database": ("postgresql://camwarden@db.example", "names no database"),
    "no address": ("hunter2", "write postgresql://"),
    "a port that is none": ("postgresql://db.example:hunter2/camwarden", "no address"),
    "an option that nobody knows": ("postgresql://db.example/camwarden?hunter2=1", "cannot be used"),
}


@pytest.mark.parametrize(("url", "said"), ADDRESSES.values(), ids=ADDRESSES)
def test_the_address_of_a_database(url: str, said: str | None) -> None:
    if said is None:
        assert load_settings(database_url=url).database_url == url
        return
    with pytest.raises(SettingsError, match=said) as caught:
        load_settings(database_url=url)
    assert "hunter2" not in str(caught.value)
