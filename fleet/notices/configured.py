"""The ways of telling somebody that the settings name."""

import time
from pathlib import Path

from cameras.secret import Credential, Secret
from fleet.errors import SettingsError
from fleet.notices.mail import Mail
from fleet.notices.outgoing import Channel
from fleet.notices.webhook import Webhook
from fleet.settings import Settings

_MOST_SECRET_BYTES = 4096


def channels(settings: Settings) -> list[Channel]:
    """Raises SettingsError. Reads files: run it in a thread."""
    found: list[Channel] = []
    if settings.mail_to:
        login = None
        if settings.mail_user is not None:
            login = Credential(settings.mail_user, _secret("mail_password_file", settings.mail_password_file))
        found.append(
            Mail(
                settings.mail_host,
                settings.mail_port,
                sender=settings.mail_from,
                receivers=settings.mail_to,
                tls=settings.mail_tls,
                login=login,
            )
        )
    if settings.webhook_url is not None:
        secret = _secret("webhook_secret_file", settings.webhook_secret_file)
        found.append(Webhook(settings.webhook_url, secret, time.time))
    return found


def channel_names(settings: Settings) -> tuple[str, ...]:
    """Of `channels`, without opening anything."""
    named = ((Mail.name, settings.mail_to), (Webhook.name, settings.webhook_url is not None))
    return tuple(name for name, wanted in named if wanted)


def _secret(key: str, path: Path | None) -> Secret:
    if path is None:
        raise SettingsError(f"{key}: write the path of a file that holds it")
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_SECRET_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{key}: {path} cannot be read ({type(error).__name__})") from error
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise SettingsError(f"{key}: {path} is empty")
    return Secret(secret)
