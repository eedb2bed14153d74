"""`camwarden token`: keys for machines that use the REST API."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from fleet import tokens
from fleet.cli import screen
from fleet.cli.stored import actor, changing_store
from fleet.settings import load_settings
from fleet.store import open_store
from fleet.tokens import Scope

app = typer.Typer(
    no_args_is_help=True,
    help="Keys for machines that use the REST API.",
    epilog="Example: camwarden token create ansible --scope read --scope plan --scope change --days 90",
)

ConfigOption = Annotated[Path | None, typer.Option(metavar="FILE", help="camwarden.toml.", show_default=False)]


@app.command(epilog="Example: camwarden token create nightly-gate --scope read --days 30")
def create(
    name: Annotated[str, typer.Argument(help="Who will use it.", show_default=False)],
    *,
    scope: Annotated[list[Scope], typer.Option(help="What it may do; give it once for each.", show_default=False)],
    days: Annotated[int, typer.Option(min=1, max=tokens.MOST_DAYS, help="How long it lasts.")] = 90,
    config: ConfigOption = None,
) -> None:
    """Make a token and print it, once: only a hash of it is kept."""
    asyncio.run(_create(config, name, scope, days))


@app.command("list", epilog="Example: camwarden token list")
def show(*, config: ConfigOption = None) -> None:
    """All tokens, what they may do and when they were used last."""
    asyncio.run(_show(config))


@app.command(epilog="Example: camwarden token revoke 7b1kq0zt3m2a")
def revoke(
    key: Annotated[str, typer.Argument(help="As `token list` shows it.", show_default=False)],
    *,
    config: ConfigOption = None,
) -> None:
    """End a token at once."""
    asyncio.run(_revoke(config, key))
    screen.note(f"{key} opens nothing any more")


async def _create(config: Path | None, name: str, scopes: list[Scope], days: int) -> None:
    async with changing_store(load_settings(config), "token create") as store:
        token, text = await tokens.create(store, name, scopes, actor(), days=days)
    sys.stdout.write(f"{text.reveal()}\n")
    screen.note(f"{token.name} may {', '.join(token.scopes)} until {token.expires_at:%Y-%m-%d}. It is not shown again.")


async def _show(config: Path | None) -> None:
    async with await open_store(load_settings(config)) as store:
        for token in await tokens.tokens(store):
            state = "revoked" if token.revoked_at else f"until {token.expires_at:%Y-%m-%d}"
            used = f"used {token.used_at:%Y-%m-%d %H:%M}" if token.used_at else "never used"
            sys.stdout.write(f"{token.key}  {token.name}: {', '.join(token.scopes)}; {state}, {used}\n")


async def _revoke(config: Path | None, key: str) -> None:
    async with changing_store(load_settings(config), "token revoke") as store:
        found = [token for token in await tokens.tokens(store) if token.key == key]
        await tokens.revoke(store, found[0].id if found else key)
