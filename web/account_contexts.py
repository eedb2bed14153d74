"""What the pages show on which a person proves who they are, and looks after how they do it."""

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.people.accounts import Person
from fleet.signing_in.second_factors.enrolled import Factors
from fleet.signing_in.second_factors.security_keys import Ceremony
from fleet.signing_in.sessions import SessionView


@dataclass(frozen=True, slots=True)
class App:
    """A secret that an app is to take: `groups` of four to type, the `address` that apps open, and its picture, a
    square of `size` little squares drawn by `path`.
    """

    groups: tuple[str, ...]
    address: str
    size: int
    path: str


@dataclass(frozen=True, slots=True)
class SecondStep:
    """After the password: what this person can show (`factors`), the question to a security key (`ceremony`, none
    where no key works under this name). `mistake` says why the last try failed, `target` is where they go then.
    """

    factors: Factors
    ceremony: Ceremony | None
    mistake: str
    target: str


@dataclass(frozen=True, slots=True)
class Enrol:
    """A second factor that must be set up before anything else: by the `app`, or by a key (`ceremony`, none under an
    address). `mistake` and `target` as in `SecondStep`.
    """

    app: App
    ceremony: Ceremony | None
    mistake: str
    target: str


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """The only time that these `codes` are shown (none: there are still some). `target` is where to go on."""

    codes: tuple[str, ...]
    target: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A second factor, offered to the first administrator. `keys` says whether security keys work here."""

    keys: bool


@dataclass(frozen=True, slots=True)
class Account:
    """One's own `factors` and `sessions`; `present` is the id of this one. `keys` says whether security keys work
    under this name of the console. `password` says that there is one to change; `mistake` is about that form.
    """

    factors: Factors
    sessions: tuple[SessionView, ...]
    present: str
    keys: bool
    password: bool
    mistake: str


@dataclass(frozen=True, slots=True)
class NewApp:
    """Setting up an `app`; `mistake` says why the code was not taken."""

    app: App
    mistake: str


@dataclass(frozen=True, slots=True)
class NewKey:
    """Setting up a security key by a `ceremony` (none: this is an address). `mistake` says why it failed."""

    ceremony: Ceremony | None
    mistake: str


@dataclass(frozen=True, slots=True)
class Prove:
    """Once more, before something dangerous: by the `password` where there is one, by what `factors` there are
    (`ceremony` for a key), or at the provider that is called `provider` ("" for none). `mistake` and `target` as in
    `SecondStep`.
    """

    password: bool
    factors: Factors
    ceremony: Ceremony | None
    provider: str
    mistake: str
    target: str


@dataclass(frozen=True, slots=True)
class PersonAccess:
    """How somebody else (`person`) signs in: their `factors` and live `sessions`. `oneself` says that it is nobody
    else.
    """

    person: Person
    factors: Factors
    sessions: tuple[SessionView, ...]
    oneself: bool


PAGES: Mapping[type, str] = {
    SecondStep: "second_step.html",
    Enrol: "enrol.html",
    RecoveryCodes: "recovery_codes.html",
    Offer: "offer_factor.html",
    Account: "account.html",
    NewApp: "new_app.html",
    NewKey: "new_key.html",
    Prove: "prove.html",
    PersonAccess: "person_access.html",
}
