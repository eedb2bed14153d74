"""What the operator may set: camwarden.toml and CAMWARDEN_* variables, read once at start."""

import os
import tomllib
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from fleet.database_url import usable_url
from fleet.errors import SettingsError
from fleet.people.permissions import Role
from fleet.schedules.crontab import trigger_of
from hardening.windows import WindowError, zone

_PREFIX = "CAMWARDEN_"
_FILE = Path("camwarden.toml")
# A machine comes by no browser.
OIDC_ROLES = tuple(str(role) for role in Role if role is not Role.SERVICE)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# Of a transit engine: they become parts of an address, and of a header.
_NAME = r"^[\w-][\w.-]*$"
_PATH = r"^[\w-][\w.-]*(/[\w-][\w.-]*)*$"


def _is_safe(parts: SplitResult) -> bool:
    """Plain http only to this machine."""
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _secure_unless_loopback(earlier: dict[str, Any]) -> bool:
    return earlier.get("host") not in _LOOPBACK


Required = Literal["optional", "administrators", "everyone"]


class OidcGroup(BaseModel):
    """What whoever is in that group of the identity provider may do, and where: no `sites` are all."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    group: str = Field(min_length=1)
    role: str
    sites: tuple[str, ...] = ()

    @field_validator("role")
    @classmethod
    def _is_a_role(cls, role: str) -> str:
        if role not in OIDC_ROLES:
            raise ValueError(f"no such role; known are {', '.join(OIDC_ROLES)}")
        return role


class Settings(BaseSettings):
    """Frozen. An argument wins over a variable, a variable over the file. Made by `load_settings`."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    home: Path = Field(default_factory=lambda: user_data_path("camwarden"))
    # postgresql://USER@HOST:PORT/NAME instead of the file in the home; the password is in a file, or in ~/.pgpass.
    database_url: str | None = None
    database_password_file: Path | None = None
    host: str = "127.0.0.1"
    # Names under which people reach the console beside this machine's own, such as a proxy's.
    hosts: tuple[str, ...] = ()
    port: int = Field(default=8080, ge=0, le=65535)
    credentials_file: Path | None = None
    catalogue_file: Path | None = None
    cameras_at_once: int = Field(default=128, ge=1, le=512)
    # Whoever made a plan or a rollout does not approve it.
    two_persons: bool = False
    # Who must have a second factor, from their next sign-in on.
    second_factor: Required = "optional"
    # An order to more cameras than this asks again for a proof of who gives it.
    proof_above_cameras: int = Field(default=10, ge=0)
    # Single sign-on: an OpenID Connect provider, and what its groups may do here.
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret_file: Path | None = None
    oidc_ca_file: Path | None = None
    oidc_name: str = "single sign-on"
    oidc_group_claim: str = "groups"
    oidc_groups: tuple[OidcGroup, ...] = ()
    # Passwords count no more then, but for the one account that is kept for the day on which the provider is away.
    oidc_required: bool = False
    break_glass: str = ""
    # Pictures of every camera are judged this often; 0 judges them only when asked.
    picture_minutes: int = Field(default=60, ge=0, le=10080)
    pictures_at_once: int = Field(default=8, ge=1, le=64)
    picture_days: int = Field(default=30, ge=1, le=3650)
    # History is kept whole for some days, then by the hour, then by the day for ever; events of work after its end.
    keep_raw_days: int = Field(default=7, ge=1, le=3650)
    keep_hourly_days: int = Field(default=90, ge=1, le=3650)
    keep_job_days: int = Field(default=90, ge=1, le=3650)
    # Lines on stderr; a stop waits so long for steps that are under way; who may read /metrics.
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    stop_seconds: int = Field(default=60, ge=1, le=3600)
    metrics: Literal["loopback", "token", "off"] = "loopback"
    # Jobs of the queue that run side by side, and those of one site's cameras.
    jobs_at_once: int = Field(default=64, ge=1, le=1024)
    jobs_per_site: int = Field(default=16, ge=1, le=1024)
    # The detector that cameras' own AI is measured beside: MODEL.onnx with MODEL.yaml. Ours knows drawn scenes only.
    reference_model: Path | None = None
    # When cameras are scanned, and their AI watched, without being asked: crontab lines by that zone's clock, "" never.
    scan_schedule: str = ""
    accuracy_schedule: str = ""
    schedule_zone: str = "UTC"
    # A transit engine (OpenBao, HashiCorp Vault) that guards the master key; logged in to by a token or by AppRole.
    transit_url: str | None = None
    transit_ca_file: Path | None = None
    transit_mount: str = Field(default="transit", pattern=_PATH)
    transit_key: str | None = Field(default=None, pattern=_NAME)
    transit_namespace: str | None = Field(default=None, pattern=_PATH)
    transit_token_file: Path | None = None
    transit_role_id_file: Path | None = None
    transit_secret_id_file: Path | None = None
    # A folder, best on another machine, where signed checkpoints of the audit trail are appended too.
    audit_checkpoint_dir: Path | None = None
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

    @field_validator("oidc_issuer")
    @classmethod
    def _is_an_issuer(cls, issuer: str | None) -> str | None:
        if issuer is None or _is_safe(urlsplit(issuer)):
            return issuer
        raise ValueError("write the address of the provider, beginning with https://")

    @field_validator("transit_url")
    @classmethod
    def _is_an_engine(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "https://none")
        beside = parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment
        if _is_safe(parts) and parts.hostname and not beside:
            return url and url.rstrip("/")
        raise ValueError("write where the engine's server listens and nothing more, such as https://bao.example:8200")

    @model_validator(mode="after")
    def _single_sign_on_is_whole(self) -> Self:
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_client_secret_file):
            raise ValueError("oidc_issuer needs oidc_client_id and oidc_client_secret_file")
        if self.oidc_required and not (self.oidc_issuer and self.break_glass):
            raise ValueError("oidc_required needs oidc_issuer, and break_glass: an account for when it is away")
        return self

    @model_validator(mode="after")
    def _transit_is_whole(self) -> Self:
        given = {name for name in Settings.model_fields if name.startswith("transit_") and getattr(self, name)}
        if not self.transit_url and given - {"transit_mount"}:
            raise ValueError(f"{', '.join(sorted(given - {'transit_mount'}))}: transit_url is missing")
        by_role = {"transit_role_id_file", "transit_secret_id_file"}
        logins = given & {"transit_token_file", *by_role}
        if self.transit_url and (not self.transit_key or logins not in ({"transit_token_file"}, by_role)):
            raise ValueError(
                "transit_url needs transit_key, and either transit_token_file or both transit_role_id_file and "
                "transit_secret_id_file"
            )
        return self

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
        key = ".".join(str(part) for part in one["loc"]) or "settings"
        said = f"no such setting; known are {_KNOWN}" if one["type"] == "extra_forbidden" else _said(one["msg"])
        lines.append(f"{key}: {said}")
    return "; ".join(lines)


def _said(message: str) -> str:
    """Pydantic's own words begin large, and put theirs before ours."""
    words = message.removeprefix("Value error, ")
    return f"{words[:1].lower()}{words[1:]}"
