"""How a command ends: one table of exit codes, and the one place where errors become them."""

import hashlib
import os
import sys
import traceback
from collections.abc import Mapping
from enum import IntEnum
from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperGroup


class ExitCode(IntEnum):
    """What scripts may rely on."""

    GOOD = 0
    FINDINGS = 1
    WRONG_USE = 2
    NOT_EVALUATED = 3
    OUR_FAULT = 4
    INTERRUPTED = 130
    BROKEN_PIPE = 141


MEANINGS: Mapping[ExitCode, str] = MappingProxyType(
    {
        ExitCode.GOOD: "everything was looked at, and nothing failed at or above --fail-on",
        ExitCode.FINDINGS: "a check failed at or above --fail-on; this wins over 3",
        ExitCode.WRONG_USE: "wrong use, or something on this machine to put right first: the message says what",
        ExitCode.NOT_EVALUATED: "an address could not be evaluated, or a check ended in an error of its own",
        ExitCode.OUR_FAULT: "a fault of Camwarden itself: the message has a number to report",
        ExitCode.INTERRUPTED: "stopped by Ctrl-C; what was finished until then is printed",
        ExitCode.BROKEN_PIPE: "whoever read our output went away",
    }
)


class WrongUse(Exception):
    """The command cannot be carried out as it was given. The text says what to write instead."""


class Boundary(TyperGroup):
    """The outermost group: nothing but an exit code and one line leaves it."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's context has no public type of that name
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            _forget_stdout()
            raise typer.Exit(ExitCode.BROKEN_PIPE) from None
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise
        except Exception as error:  # noqa: BLE001 - the boundary
            raise typer.Exit(_tell(error, debug=bool(ctx.params.get("debug")))) from None


def _tell(error: Exception, *, debug: bool) -> ExitCode:
    """One line for the operator, whatever went wrong."""
    cause = error
    while isinstance(cause, ExceptionGroup) and len(cause.exceptions) == 1:
        (cause,) = cause.exceptions  # several things were done at once, and one of them had something to say
    # Read only now: naming every error of the house reads most of the house.
    if isinstance(cause, (WrongUse, *import_module("fleet.cli.operator_errors").ERRORS)):
        sys.stderr.write(f"camwarden: {cause}\n")
        return ExitCode.WRONG_USE
    if debug:
        traceback.print_exception(error)
    sys.stderr.write(f"camwarden: {our_fault(error)}\n")
    return ExitCode.OUR_FAULT


def our_fault(error: BaseException) -> str:
    """One line. The words of the error stay out of it: they may quote a camera, an address or a password."""
    frames = [f"{frame.filename}:{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    where = [_short(frame) for frame in frames]
    number = hashlib.sha256("\n".join([type(error).__name__, *where]).encode()).hexdigest()[:10]
    return (
        f"this is our fault, not yours ({type(error).__name__}, number {number}). Please report that number, and what "
        "`camwarden --debug` before the same command prints, without addresses and passwords."
    )


def _short(frame: str) -> str:
    """The same on every machine: the last three parts of the path."""
    return "/".join(frame.split("/")[-3:])


def _forget_stdout() -> None:
    # The interpreter flushes stdout when it ends, and would complain about the same broken pipe again.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
