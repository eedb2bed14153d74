"""A notice as a mail."""

from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

import aiosmtplib

from cameras.secret import Credential
from cameras.untrusted import clean_text
from fleet.notices.outgoing import NotSent, Outgoing

TIMEOUT_S = 20.0


class Mail:
    """To all receivers at once, through one server. `tls`: from the first byte, by STARTTLS, or not at all."""

    name = "mail"

    def __init__(
        self,
        host: str,
        port: int,
        *,
        sender: str,
        receivers: tuple[str, ...],
        tls: Literal["none", "starttls", "tls"],
        login: Credential | None = None,
    ) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._sender, self._receivers = sender, receivers
        self._login = login

    async def send(self, notice: Outgoing) -> None:
        try:
            refused, _ = await aiosmtplib.send(
                message(notice, self._sender, self._receivers),
                sender=self._sender,
                recipients=list(self._receivers),
                hostname=self._host,
                port=self._port,
                use_tls=self._tls == "tls",
                start_tls=self._tls == "starttls",
                username=self._login.username if self._login else None,
                password=self._login.password.reveal() if self._login else None,
                # Else the library looks our own name up, and the event loop waits for the answer.
                local_hostname=self._sender.rpartition("@")[2] or "localhost",
                timeout=TIMEOUT_S,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise NotSent(f"{type(error).__name__}: {_words(error)}") from error
        if len(refused) == len(self._receivers):
            raise NotSent("the mail server refused every receiver")


def message(notice: Outgoing, sender: str, receivers: tuple[str, ...]) -> EmailMessage:
    """A mail that comes twice has the same Message-ID. What a camera says cannot end a line of a header."""
    mail = EmailMessage()
    mail["From"] = clean_text(sender)
    mail["To"] = ", ".join(clean_text(receiver) for receiver in receivers)
    mail["Subject"] = clean_text(notice.content.get("subject", "Camwarden"), 150)
    mail["Message-ID"] = f"<{notice.id}@camwarden.invalid>"
    mail["Date"] = format_datetime(notice.created_at)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(notice.content.get("text", ""))
    return mail


def _words(error: Exception) -> str:
    """A server may quote the login that it refused: of its answer only the code is kept."""
    code = getattr(error, "code", None)
    return f"the server answered {code}" if isinstance(code, int) else "no conversation with the server"
