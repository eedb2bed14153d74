"""What can go wrong in the controller, named for what the reader does next.

    FleetError
    ├── Invalid               correct what was typed; the text says what to write
    │   ├── NeedsConfirmation the same again, confirmed: it is much larger than usual
    │   └── Displaced         scan the network: another camera answers where this one was seen last
    ├── NotFound              look at the list again; it may be gone
    ├── ChangedMeanwhile      look again, then decide again: it is not what was looked at
    ├── Busy                  wait: other work is changing the same camera
    ├── BeyondYourSites       ask somebody whose grant covers all of its cameras
    ├── SignInRefused         name or password is wrong; which of the two is never said
    │   ├── CodeRefused       the second factor is wrong: try again
    │   └── SingleSignOnRefused  the identity provider's answer cannot be taken; the text says what to do
    ├── SecondStepNeeded      the password was right: go on to the second step
    ├── BeginAgain            it took too long, or was done already: begin again
    ├── TooManyTries          wait `retry_after_s` seconds
    │   └── TooManyAtOnce     wait a moment
    ├── ProviderUnavailable   look at the identity provider, or sign in with the account kept for that
    ├── SourceUnavailable     look at the inventory that was to be read (NetBox)
    ├── SettingsError         correct the configuration; the text names the key, never the value
    ├── StoreUnavailable      look at the database: its server, or its file and the disk
    └── VaultUnavailable      put back the key that the passwords were sealed with, or see to what guards it

Third-party exceptions (SQLAlchemy, sqlite3, psycopg, pydantic) stop at `fleet.store` and `fleet.settings`. The text of
every error is fit to be shown and carries no secret.
"""

from cameras.secret import Secret


class FleetError(Exception):
    """Something that the controller could not do."""


class Invalid(FleetError):
    """What was typed cannot be used. The text says what to write instead."""


class NeedsConfirmation(Invalid):
    """Far more targets than usual: `count` of them. Start again with `confirmed=True`."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} addresses are a lot; confirm that all of them are yours")
        self.count = count


class Displaced(Invalid):
    """Another unit answers at the last address of the camera. The text says since when."""


class NotFound(FleetError):
    """There is no such thing (any more)."""


class ChangedMeanwhile(FleetError):
    """What was decided on is not what was looked at any more."""


class Busy(FleetError):
    """Other work holds what this one needs. The text says which."""


class BeyondYourSites(FleetError):
    """An order about cameras of which some are outside the sites of whoever gives it."""

    def __init__(self) -> None:
        super().__init__("some of its cameras are of other sites: ask somebody whose grant covers all of them")


class SignInRefused(FleetError):
    """Name or password is wrong."""

    def __init__(self, text: str = "name or password is wrong") -> None:
        super().__init__(text)


class CodeRefused(SignInRefused):
    """The second factor is wrong. Which one it was, and how it was wrong, is not said."""

    def __init__(self) -> None:
        super().__init__("that was not accepted; a code of an app works once, and for about a minute")


class SingleSignOnRefused(SignInRefused):
    """What came back from the identity provider lets nobody in."""


class SecondStepNeeded(FleetError):
    """The password was right. `token` carries on to the second factor, or (`enrol`) to setting one up."""

    def __init__(self, token: Secret, *, enrol: bool) -> None:
        super().__init__("a second factor is needed")
        self.token = token
        self.enrol = enrol


class BeginAgain(FleetError):
    """A step that came too late, or twice."""

    def __init__(self) -> None:
        super().__init__("that took too long, or was done already; begin again")


class ProviderUnavailable(FleetError):
    """The identity provider does not answer, or not as one. The text says what it did."""


class SourceUnavailable(FleetError):
    """An inventory that we were to read does not answer, or not as one. The text says what it did."""


class TooManyTries(FleetError):
    """Too many wrong tries for this name or from this source."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many wrong tries; try again in {max(1, -(-retry_after_s // 60))} min")
        self.retry_after_s = retry_after_s


class TooManyAtOnce(TooManyTries):
    """More people sign in at this moment than we look at."""

    def __init__(self) -> None:
        super().__init__(5)
        self.args = ("too many people sign in at this moment; try again in a few seconds",)


class SettingsError(FleetError):
    """The configuration cannot be used."""


class StoreUnavailable(FleetError):
    """The database cannot be read or written."""


class VaultUnavailable(FleetError):
    """Sealed passwords cannot be read or written. The text says what to do, and never what was sealed."""
