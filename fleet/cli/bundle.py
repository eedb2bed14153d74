"""`camwarden bundle`: signed files for cameras."""

import asyncio
import getpass
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli import screen
from fleet.cli.outcomes import WrongUse
from fleet.cli.stored import changing_store
from fleet.rollouts import bundles
from fleet.rollouts.bundles import BundleView, trusted_folder
from fleet.settings import load_settings
from fleet.store import open_store
from hardening import bundles as files
from hardening import keys
from hardening.manifest import PROMISES, AppWords, BundleError, Kind, Manifest, promises, written
from scanners.versions import SCHEMES

app = typer.Typer(
    no_args_is_help=True,
    help="Signed bundles of firmware or analytics apps.",
    epilog="Example: camwarden bundle import P3265-V.bundle",
)

ConfigOption = Annotated[Path | None, typer.Option(metavar="FILE", help="camwarden.toml.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
BundleArgument = Annotated[Path, typer.Argument(metavar="BUNDLE", show_default=False)]


@app.command(epilog="Example: camwarden bundle keygen release")
def keygen(
    name: Annotated[str, typer.Argument(help="NAME.key and NAME.pub are written here.", show_default=False)],
) -> None:
    """Make a pair of keys. Keep NAME.key off this machine; NAME.pub goes into the folder of trusted keys."""
    with _problems():
        public = keys.generate(Path(f"{name}.key"), Path(f"{name}.pub"))
    screen.note(
        f"{name}.key signs bundles; {name}.pub ({public.fingerprint}) goes to {trusted_folder(load_settings())}"
    )


@app.command(
    epilog="Example: camwarden bundle build P3265-V.bin P3265-V.bundle --vendor AXIS --model P3265-V --version 12.11.80"
)
def build(
    payload: Annotated[Path, typer.Argument(help="The image or package, as the vendor made it.", show_default=False)],
    bundle: BundleArgument,
    *,
    vendor: Annotated[str, typer.Option(help="As the camera says its manufacturer.", show_default=False)],
    model: Annotated[list[str], typer.Option(help="As the camera says it; several times for several.")],
    version: Annotated[str, typer.Option(help="As the camera will say it.", show_default=False)],
    hardware: Annotated[list[str] | None, typer.Option(help="Only this hardware.", show_default="any")] = None,
    scheme: Annotated[
        str | None, typer.Option(help="How versions count: axis, hikvision, dahua, hanwha, dotted.")
    ] = None,
    from_version: Annotated[str | None, typer.Option(help="The oldest version that may be installed before.")] = None,
    application: Annotated[str | None, typer.Option("--app", help="An app, by its id on the camera.")] = None,
    accuracy: Annotated[
        str | None,
        typer.Option(metavar="LIMITS", help="How right the app must be: least_recall=0.8,most_fall=0.05,seconds=120."),
    ] = None,
    notes: Annotated[str, typer.Option(help="For whoever approves it.")] = "",
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="Sign it with this key at once.")] = None,
) -> None:
    """Write a bundle; without --key it is not signed yet."""
    kind: Kind = "app" if application else "firmware"
    if accuracy and not application:
        raise WrongUse("--accuracy belongs to an app; give --app")
    with _problems():
        sha256, size = files.digest(payload)
        manifest = Manifest(
            kind=kind,
            vendor=vendor,
            models=tuple(model),
            hardware=tuple(hardware or ()),
            version=version,
            scheme=_scheme(scheme, vendor),
            from_version=from_version,
            sha256=sha256,
            size=size,
            notes=notes,
            app=AppWords(application, _promises(accuracy or "")) if application else None,
        )
        files.build(payload, manifest, bundle)
        if key:
            files.sign(bundle, keys.load_private(key))
    screen.note(f"{bundle}: {'signed' if key else 'not signed yet'}, {size} bytes of {vendor} {version}")


@app.command(epilog="Example: camwarden bundle sign P3265-V.bundle --key release.key")
def sign(
    bundle: BundleArgument,
    *,
    key: Annotated[Path, typer.Option(metavar="FILE", help="The private key.", show_default=False)],
) -> None:
    """Sign a bundle in place."""
    with _problems():
        files.sign(bundle, keys.load_private(key))
    screen.note(f"{bundle}: signed")


@app.command(epilog="Example: camwarden bundle verify P3265-V.bundle --key release.pub")
def verify(
    bundle: BundleArgument,
    *,
    key: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Public keys to trust.", show_default="the trusted folder")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Is it signed by somebody we trust, and is the payload what was signed? Needs no store."""
    with _problems():
        folder = trusted_folder(load_settings(config))
        found = files.verify(bundle, keys.load_trusted(key or folder.glob("*.pub")))
    if as_json:
        _print({"signed_by": found.signed_by, "manifest": json.loads(written(found.manifest))})
    else:
        manifest = found.manifest
        models = ", ".join(manifest.models)
        sys.stdout.write(f"{manifest.kind} {manifest.vendor} {manifest.version} for {models}, by {found.signed_by}\n")


@app.command("import", epilog="Example: camwarden bundle import P3265-V.bundle")
def import_(bundle: BundleArgument, *, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Verify a bundle and keep it, so that it can be rolled out."""
    _show([asyncio.run(_import(config, bundle))], as_json=as_json)


@app.command("list", epilog="Example: camwarden bundle list --json")
def list_(*, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """The bundles that may be rolled out."""
    _show(asyncio.run(_listing(config)), as_json=as_json)


async def _import(config: Path | None, bundle: Path) -> BundleView:
    settings = load_settings(config)
    async with changing_store(settings, "bundle import") as store:
        return await bundles.import_bundle(store, settings, bundle, getpass.getuser())


async def _listing(config: Path | None) -> list[BundleView]:
    async with await open_store(load_settings(config)) as store:
        return await bundles.listing(store)


def _show(views: list[BundleView], *, as_json: bool) -> None:
    if as_json:
        _print({"format": "camwarden/bundles/1", "bundles": [bundles.as_json(view) for view in views]})
        return
    for view in views:
        manifest = view.manifest
        words = (view.id[:12], manifest.kind, manifest.vendor, manifest.version, ", ".join(manifest.models))
        sys.stdout.write("  ".join(words) + f"  (signed by {view.signed_by})\n")


def _scheme(given: str | None, vendor: str) -> str:
    word = (given or vendor.split(maxsplit=1)[0]).casefold() if vendor.split() else ""
    if given and word not in SCHEMES:
        raise WrongUse(f"--scheme: write one of {', '.join(SCHEMES)}")
    return word if word in SCHEMES else "dotted"


def _promises(text: str) -> Mapping[str, float]:
    """ "least_recall=0.8,seconds=120". Raises WrongUse, BundleError."""
    pairs = [word.partition("=") for word in text.split(",") if word.strip()]
    try:
        return promises({name.strip(): json.loads(number) for name, _, number in pairs})
    except ValueError:
        raise WrongUse(f"--accuracy: write NAME=NUMBER, and commas between; names are {', '.join(PROMISES)}") from None


class _problems:  # noqa: N801 - reads as a word of the sentence `with _problems():`
    """What is wrong with a file is the operator's to put right, not a fault of ours."""

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, BundleError | keys.KeyUnusable):
            raise WrongUse(str(error)) from error


def _print(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
