"""A value that must not be shown."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """Text that only `reveal()` gives: printing, formatting, logging or pickling it shows asterisks or fails."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a secret does not leave the process")


@dataclass(frozen=True, slots=True)
class Credential:
    """A name and a password for one camera."""

    username: str
    password: Secret
