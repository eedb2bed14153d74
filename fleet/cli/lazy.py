"""Commands whose modules are read when they are used: a help text needs neither a web server nor a decoder of video."""

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from fleet.cli.outcomes import Boundary


@dataclass(frozen=True, slots=True)
class Listed:
    """A command as the list of all shows it. Its module in `fleet.cli` has an `app`, or a function of that name."""

    says: str
    function: str = ""


class Commands(MutableMapping[str, Any]):
    """By name, in order; a command is made when it is asked for."""

    def __init__(self, listed: Mapping[str, Listed]) -> None:
        self._listed = listed
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - typer gives its commands no public type
        if name not in self._made:
            self._made[name] = _command(name, self._listed[name])
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:  # noqa: ANN401 - as above
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)


def _command(name: str, listed: Listed) -> Any:  # noqa: ANN401 - as above
    module = import_module(f"fleet.cli.{name}")
    if not listed.function:
        command = typer.main.get_command(module.app)
    else:
        alone = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode="rich", add_completion=False)
        context = getattr(module, "CONTEXT", None)
        alone.command(name, epilog=module.EPILOG, context_settings=context)(getattr(module, listed.function))
        command = typer.main.get_command(alone)
    command.name = name
    return command


def group_of(listed: Mapping[str, Listed]) -> type[Boundary]:
    """The class of the outermost group, for `typer.Typer(cls=...)`."""

    class Lazy(Boundary):
        def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - as typer's own
            super().__init__(**attributes)
            self.commands = Commands(listed)
            self._only_listing = False

        def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - as above
            return list(listed)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 - as above
            if self._only_listing:
                return TyperCommand(cmd_name, help=listed[cmd_name].says)
            return self.commands.get(cmd_name)

        def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - as above
            self._only_listing = True
            try:
                super().format_help(ctx, formatter)
            finally:
                self._only_listing = False

    return Lazy
