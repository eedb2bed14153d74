"""Errors of the drivers in our words: third-party exceptions stop here, and no value of a row gets out with them."""

import sqlite3

import psycopg
from alembic.util import CommandError
from psycopg import errors

from fleet.errors import FleetError, Invalid, StoreUnavailable


def no_text() -> Invalid:
    """What cameras say is cleaned before it comes here; this was typed, or made up in a URL."""
    return Invalid("this text cannot be stored or looked for: it holds half a character, or a character that is none")


def too_large() -> Invalid:
    return Invalid("this number cannot be stored or looked for: it is too large")


def unavailable(what: str, error: Exception) -> FleetError:
    """Only the driver's own words: SQLAlchemy's text quotes the statement, PostgreSQL's details quote the row."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, errors.NumericValueOutOfRange):
        return too_large()
    if isinstance(cause, psycopg.DataError) and cause.sqlstate is None:  # refused by the driver: NUL
        return no_text()
    return StoreUnavailable(f"the database cannot be {what}: {_words(cause)}")


def cause_of(error: Exception) -> Exception | None:
    """What may be told as the cause: PostgreSQL's own text quotes values of the row that it refused."""
    return None if isinstance(getattr(error, "orig", error), psycopg.Error) else error


def _words(cause: BaseException) -> str:
    if isinstance(cause, psycopg.Error):
        return cause.diag.message_primary or _first_line(cause) or type(cause).__name__
    if isinstance(cause, OSError | sqlite3.Error | CommandError):
        return str(cause)
    return type(cause).__name__


def _first_line(cause: psycopg.Error) -> str:
    """Of an error that the driver itself made, such as a connection that could not be opened."""
    return next((line.strip() for line in str(cause).splitlines() if line.strip()), "")
