"""`camwarden token`: keys for machines that use the REST API."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cameras.secret import Secret
from fleet.cli import screen
from fleet.cli.stored import actor, changing_store
from fleet.people import accounts as people
from fleet.people import tokens
from fleet.people.tokens import Limits, Scope, Token
from fleet.settings import load_settings
from fleet.store import open_store

app = typer.Typer(
    no_args_is_help=True,
    help="Keys for machines that use the REST API.",
    epilog="Example: camwarden token create ansible --scope read --scope plan --scope approve --scope change --days 90",
)

ConfigOption = Annotated[Path | None, typer.Option(metavar="FILE", help="camwarden.toml.", show_default=False)]


@app.command(
    epilog="Example: camwarden token create nightly-gate --scope read --days 30\n\n"
    "Example: camwarden token create depot-nvr --scope read --site Depot --allow 10.2.7.4"
)
def create(
    name: Annotated[str, typer.Argument(help="Who will use it.", show_default=False)],
    *,
    scope: Annotated[list[Scope], typer.Option(help="What it may do; give it once for each.", show_default=False)],
    days: Annotated[int, typer.Option(min=1, max=tokens.MOST_DAYS, help="How long it lasts.")] = 90,
    site: Annotated[
        list[str] | None, typer.Option(help="Only at this site; give it once for each.", show_default="everywhere")
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NETWORK", help="Only from this network or address; once for each.", show_default="from anywhere"
        ),
    ] = None,
    of: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="NAME", help="Worth no more than this person or machine may.", show_default=False
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Make a token and print it, once: only a hash of it is kept."""
    limits = Limits(None, tuple(site) if site else None, tuple(allow or ()))

    async def made() -> tuple[Token, Secret]:
        async with changing_store(load_settings(config), "token create") as store:
            bound = (await people.named(store, of)).id if of is not None else None
            return await tokens.create(store, name, scope, actor(), days=days, limits=replace(limits, person=bound))

    token, text = asyncio.run(made())
    sys.stdout.write(f"{text.reveal()}\n")
    screen.note(f"{token.name} may {', '.join(token.scopes)} until {token.expires_at:%Y-%m-%d}. It is not shown again.")


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


async def _show(config: Path | None) -> None:
    async with await open_store(load_settings(config)) as store:
        for token in await tokens.tokens(store):
            state = "revoked" if token.revoked_at else f"until {token.expires_at:%Y-%m-%d}"
            used = f"used {token.used_at:%Y-%m-%d %H:%M}" if token.used_at else "never used"
            where = "" if token.sites is None else f" at {', '.join(token.sites)}"
            whence = f" from {', '.join(token.addresses)}" if token.addresses else ""
            may = f"{', '.join(token.scopes)}{where}{whence}"
            sys.stdout.write(f"{token.key}  {token.name}: {may}; {state}, {used}\n")


async def _revoke(config: Path | None, key: str) -> None:
    async with changing_store(load_settings(config), "token revoke") as store:
        found = [token for token in await tokens.tokens(store) if token.key == key]
        await tokens.revoke(store, found[0].id if found else key)
