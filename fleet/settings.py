"""What the operator may set: camwarden.toml and CAMWARDEN_* variables, read once at start."""

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_data_path
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from fleet.crontab import trigger_of
from fleet.database_url import usable_url
from fleet.errors import SettingsError
from hardening.windows import WindowError, zone

_PREFIX = "CAMWARDEN_"
_FILE = Path("camwarden.toml")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def _secure_unless_loopback(earlier: dict[str, Any]) -> bool:
    return earlier.get("host") not in _LOOPBACK


class Settings(BaseSettings):
    """Frozen. An argument wins over a variable, a variable over the file. Made by `load_settings`."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    home: Path = Field(default_factory=lambda: user_data_path("camwarden"))
    # postgresql://USER@HOST:PORT/NAME instead of the file in the home; the password is in a file, or in ~/.pgpass.
    database_url: str | None = None
    database_password_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    credentials_file: Path | None = None
    catalogue_file: Path | None = None
    cameras_at_once: int = Field(default=128, ge=1, le=512)
    # Whoever made a plan or a rollout does not approve it.
    two_persons: bool = False
    # Pictures of every camera are judged this often; 0 judges them only when asked.
    picture_minutes: int = Field(default=60, ge=0, le=10080)
    pictures_at_once: int = Field(default=8, ge=1, le=64)
    picture_days: int = Field(default=30, ge=1, le=3650)
    # Jobs of the queue that run side by side, and those of one site's cameras.
    jobs_at_once: int = Field(default=64, ge=1, le=1024)
    jobs_per_site: int = Field(default=16, ge=1, le=1024)
    # The detector that cameras' own AI is measured beside: MODEL.onnx with MODEL.yaml. Ours knows drawn scenes only.
    reference_model: Path | None = None
    # When cameras are scanned, and their AI watched, without being asked: crontab lines by that zone's clock, "" never.
    scan_schedule: str = ""
    accuracy_schedule: str = ""
    schedule_zone: str = "UTC"
    # Where notices go; without an address nothing is sent.
    mail_to: tuple[str, ...] = ()
    mail_from: str = "camwarden@localhost"
    mail_host: str = "127.0.0.1"
    mail_port: int = Field(default=25, ge=1, le=65535)
    mail_tls: Literal["none", "starttls", "tls"] = "starttls"
    mail_user: str | None = None
    mail_password_file: Path | None = None
    webhook_url: str | None = None
    webhook_secret_file: Path | None = None
    # Browsers drop a Secure cookie on plain HTTP, except (mostly) on loopback: off there, on everywhere else.
    secure_cookies: bool = Field(default_factory=_secure_unless_loopback)

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, url: str | None) -> str | None:
        return None if url is None else usable_url(url)

    @field_validator("scan_schedule", "accuracy_schedule")
    @classmethod
    def _is_a_line(cls, line: str) -> str:
        if line.strip():
            trigger_of(line)
        return line.strip()

    @field_validator("schedule_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            zone(name)
        except WindowError:  # its text quotes the value
            raise ValueError("no time zone; write one such as Europe/Berlin") from None
        return name

    @property
    def database(self) -> Path:
        return self.home / "camwarden.db"

    @property
    def evidence(self) -> Path:
        """Pictures, each under the SHA-256 of its bytes."""
        return self.home / "evidence"

    @property
    def backups(self) -> Path:
        """Configurations of cameras, sealed. Earlier versions left plain ones here."""
        return self.home / "backups"


_KNOWN = ", ".join(sorted(Settings.model_fields))


def load_settings(config: Path | None = None, **overrides: object) -> Settings:
    """Read `config`, else camwarden.toml in the working directory where there is one. Raises SettingsError.

    Overrides are options of the command line; `None` is one that was not given.
    """
    path = config or (_FILE if _FILE.is_file() else None)
    variables = _variables()
    values = {name: value for name, value in (_read(path) if path else {}).items() if name not in variables}
    values |= {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None  # its own text may quote a value


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: it cannot be read ({type(error).__name__})") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {error}") from error


def _variables() -> set[str]:
    """The settings that have a variable. A misspelt one would otherwise be no error but a default."""
    found = {
        name.upper().removeprefix(_PREFIX).lower(): name for name in os.environ if name.upper().startswith(_PREFIX)
    }
    unknown = [found[name] for name in sorted(found.keys() - Settings.model_fields.keys())]
    if unknown:
        raise SettingsError(f"{', '.join(unknown)}: no such setting; known are {_KNOWN}")
    return set(found)


def _explain(error: ValidationError) -> str:
    """Each key and what is wrong with it, never its value."""
    lines = []
    for one in error.errors(include_input=False, include_context=False, include_url=False):
        key = ".".join(str(part) for part in one["loc"])
        said = f"no such setting; known are {_KNOWN}" if one["type"] == "extra_forbidden" else _said(one["msg"])
        lines.append(f"{key}: {said}")
    return "; ".join(lines)


def _said(message: str) -> str:
    """Pydantic's own words begin large, and put theirs before ours."""
    words = message.removeprefix("Value error, ")
    return f"{words[:1].lower()}{words[1:]}"
