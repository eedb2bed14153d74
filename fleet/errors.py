"""What can go wrong in the controller, named for what the reader does next.

    FleetError
    ├── Invalid               correct what was typed; the text says what to write
    │   └── NeedsConfirmation the same again, confirmed: it is much larger than usual
    ├── NotFound              look at the list again; it may be gone
    ├── ChangedMeanwhile      look again, then decide again: it is not what was looked at
    ├── Busy                  wait: other work is changing the same camera
    ├── SignInRefused         name or password is wrong; which of the two is never said
    ├── TooManyTries          wait `retry_after_s` seconds
    ├── SettingsError         correct the configuration; the text names the key, never the value
    ├── StoreUnavailable      look at the database: its server, or its file and the disk
    └── VaultUnavailable      put back the key that the passwords were sealed with; the text names the file

Third-party exceptions (SQLAlchemy, sqlite3, psycopg, pydantic) stop at `fleet.store` and `fleet.settings`. The text of
every error is fit to be shown and carries no secret.
"""


class FleetError(Exception):
    """Something that the controller could not do."""


class Invalid(FleetError):
    """What was typed cannot be used. The text says what to write instead."""


class NeedsConfirmation(Invalid):
    """Far more targets than usual: `count` of them. Start again with `confirmed=True`."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} addresses are a lot; confirm that all of them are yours")
        self.count = count


class NotFound(FleetError):
    """There is no such thing (any more)."""


class ChangedMeanwhile(FleetError):
    """What was decided on is not what was looked at any more."""


class Busy(FleetError):
    """Other work holds what this one needs. The text says which."""


class SignInRefused(FleetError):
    """Name or password is wrong."""

    def __init__(self) -> None:
        super().__init__("name or password is wrong")


class TooManyTries(FleetError):
    """Too many wrong tries for this name or from this source."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many wrong tries; try again in {max(1, -(-retry_after_s // 60))} min")
        self.retry_after_s = retry_after_s


class SettingsError(FleetError):
    """The configuration cannot be used."""


class StoreUnavailable(FleetError):
    """The database cannot be read or written."""


class VaultUnavailable(FleetError):
    """Sealed passwords cannot be read or written. The text says what to do, and never what was sealed."""
