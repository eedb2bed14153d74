"""`camwarden analytics`: what a detector finds, and how right a camera's own AI is."""

import asyncio
import json as json_module
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from analytics_qa.accuracy import Accuracy as Measured
from analytics_qa.detections_file import MOST_FILE_BYTES, Frame, document, read_document
from analytics_qa.detector import OUR_MODEL, Detector, Picture
from analytics_qa.drift import State
from analytics_qa.errors import GoldenError, ModelError
from analytics_qa.golden import GoldenClip, GoldenResult, golden_document, read_clip
from analytics_qa.golden import replay as replayed
from analytics_qa.golden_picture import check_golden, golden_picture_of
from analytics_qa.scoring import Scored, score_document, scored
from cameras.decoding import MOST_BYTES, Decoder
from cameras.errors import Garbled
from cameras.untrusted import clean_text
from fleet import lookup
from fleet.accuracy.runner import MOST_SECONDS, Accuracy, WatchState
from fleet.accuracy.sights import stored_sights
from fleet.cli import screen
from fleet.cli.outcomes import ExitCode, WrongUse
from fleet.jump_hosts.runner import JumpHosts
from fleet.kept_budget import kept_budget
from fleet.reach import place_and_credential
from fleet.reports.accuracy import Cards, cards_document, cards_table
from fleet.settings import Settings, load_settings
from fleet.store import is_made, open_store
from fleet.vault.passwords import open_vault

app = typer.Typer(
    no_args_is_help=True,
    help="Is a camera's own AI still right; what does a detector find.",
    epilog=(
        "Example: camwarden analytics detect gate.jpg\n\n"
        "Example: camwarden analytics check 10.0.0.5 --credentials cameras.yaml\n\n"
        "Example: camwarden analytics score --detections found.json --truth labels.json"
    ),
)

LABELS = {"detect": "Frames looked at", "check": "Cameras watched"}
MOST_FRAMES = 100_000
MOST_LINES = 40
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8")


@app.command(
    epilog="Example: camwarden analytics detect gate.jpg\n\n"
    "Example, every tenth frame of a video: camwarden analytics detect yard.mp4 --every 10 --json > found.json"
)
def detect(
    file: Annotated[
        Path, typer.Argument(metavar="PICTURE|VIDEO", help="A JPEG, a PNG or a video.", show_default=False)
    ],
    *,
    model: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="MODEL.onnx with MODEL.yaml beside it.", show_default="scenes.onnx, ours"),
    ] = None,
    every: Annotated[int, typer.Option(metavar="N", min=1, max=MOST_FRAMES, help="Only every Nth frame.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON (camwarden/detections/1) on stdout.")] = False,
) -> None:
    """Find people and vehicles in a picture or a video. The bundled model knows synthetic scenes only: give your own.

    The file is decoded in a process of its own. Exit code: 0 looked at, 2 wrong use or a model that does not fit, 3 the
    file cannot be decoded.
    """
    detector = Detector.load(model or OUR_MODEL)
    try:
        frames = asyncio.run(_detect(file, model or OUR_MODEL, detector, every))
    except Garbled as error:
        screen.note(f"camwarden: {file.name} cannot be decoded: {error}")
        raise typer.Exit(ExitCode.NOT_EVALUATED) from None
    if json:
        sys.stdout.write(f"{json_module.dumps(document(frames), indent=1)}\n")
    else:
        _show_frames(frames, detector)


async def _detect(file: Path, model: Path, detector: Detector, every: int) -> list[Frame]:
    frames = []
    with screen.progress(LABELS) as advance:
        async with Decoder() as decoder, aclosing(_pictures(file, decoder)) as pictures:
            await _try_out(model, detector, decoder)
            index = 0
            async for time_s, picture in pictures:
                if index % every == 0:
                    frames.append(Frame(index, time_s, await asyncio.to_thread(detector.detect, picture)))
                index += 1
                advance("detect", index, max(index, 1))
                if index >= MOST_FRAMES:
                    screen.note(f"camwarden: only the first {MOST_FRAMES} frames were looked at")
                    break
    if not frames:
        raise Garbled("it holds no picture")
    return frames


async def _try_out(model: Path, detector: Detector, decoder: Decoder) -> None:
    """With the golden picture beside the model, where there is one. Raises ModelError."""
    golden = golden_picture_of(model, detector)
    if golden is None:
        return
    try:
        picture = await decoder.picture(await asyncio.to_thread(_read, golden, MOST_BYTES + 1))
    except Garbled as error:
        raise ModelError(f"{golden.name}: the golden picture cannot be decoded ({error})") from error
    await asyncio.to_thread(check_golden, detector, picture)


async def _pictures(file: Path, decoder: Decoder) -> AsyncGenerator[tuple[float | None, Picture], None]:
    head = await asyncio.to_thread(_read, file, 16)
    if head.startswith(_PICTURES):
        yield None, await decoder.picture(await asyncio.to_thread(_read, file, MOST_BYTES + 1))
        return
    async with aclosing(decoder.video(file)) as frames:
        async for time_s, picture in frames:
            yield time_s, picture


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise WrongUse(f"{path}: cannot be read ({error.strerror})") from None


def _show_frames(frames: Sequence[Frame], detector: Detector) -> None:
    table = Table()
    for heading in ("frame", "time s", "class", "confidence", "box"):
        table.add_column(heading, justify="left" if heading == "class" else "right")
    rows = [(frame, place) for frame in frames for place in range(len(frame.found))]
    for frame, place in rows[:MOST_LINES]:
        found = frame.found
        time_s = "" if frame.time_s is None else f"{frame.time_s:.2f}"
        box = " ".join(f"{corner:.0f}" for corner in found.boxes[place])
        table.add_row(str(frame.index), time_s, found.classes[place], f"{found.scores[place]:.2f}", box)
    console = screen.console()
    if rows:
        console.print(table)
    if len(rows) > MOST_LINES:
        console.print(f"… and {len(rows) - MOST_LINES} more; --json prints all of them")
    counts = ", ".join(
        f"{sum(len(frame.found.of(name)) for frame in frames)} {name}" for name in detector.manifest.names
    )
    console.print(f"{len(frames)} frames, by {detector.name}: {counts}.")


@app.command(
    epilog="Example: camwarden analytics check 10.0.0.5 --credentials cameras.yaml\n\n"
    "Example: camwarden analytics check 10.0.0.5 10.0.0.6 --seconds 300 --json"
)
def check(
    camera: Annotated[
        list[str], typer.Argument(help="Stored cameras: address, address:port, serial or MAC.", show_default=False)
    ],
    *,
    seconds: Annotated[int, typer.Option(metavar="S", min=1, max=MOST_SECONDS, help="How long to watch each.")] = 60,
    credentials: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Who logs in where; else what the settings name.", show_default=False),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The reference: MODEL.onnx beside MODEL.yaml.",
            show_default="reference_model of the settings, else ours",
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="camwarden.toml of the store.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON (camwarden/accuracy/1) on stdout.")] = False,
) -> None:
    """Watch what cameras of the store say they see, beside a reference detector, and tell whether that has drifted.

    Counts of every watch are kept. Exit code: 0 nothing drifted, 1 drift, 3 a camera could not be watched.
    """
    settings = load_settings(config)
    if not is_made(settings):
        raise WrongUse("nothing is stored yet: scan the cameras in the console first")
    settings = settings.model_copy(update={"credentials_file": credentials or settings.credentials_file})
    cards = asyncio.run(_check(settings, camera, seconds, model or settings.reference_model or OUR_MODEL))
    if json:
        sys.stdout.write(f"{json_module.dumps(cards_document(cards), indent=1)}\n")
    else:
        screen.console().print(cards_table(cards))
    failed = any(one.last is None or one.last.state is not WatchState.DONE for _, one in cards)
    drifted = any(one.drift.state is State.DRIFTED for _, one in cards)
    raise typer.Exit(ExitCode.FINDINGS if drifted else ExitCode.NOT_EVALUATED if failed else ExitCode.GOOD)


async def _check(settings: Settings, words: Sequence[str], seconds: int, model: Path) -> Cards:
    async with await open_store(settings) as store, JumpHosts(store), kept_budget(store) as budget:
        ids = [await lookup.camera(store, word) for word in words]
        where = partial(place_and_credential, store, await open_vault(store, settings), settings)
        async with Accuracy(store, stored_sights(where, budget), model=model) as accuracy:
            with screen.progress(LABELS) as advance:
                watches = [await accuracy.start(one, "command line", seconds=seconds) for one in ids]
                for done, watch in enumerate(watches, 1):
                    advance("check", done - 1, len(watches))
                    await accuracy.finished(watch)
                    advance("check", done, len(watches))
            return [(word, await accuracy.card(one)) for word, one in zip(words, ids, strict=True)]


@app.command(epilog="Example: camwarden analytics score --detections found.json --truth labels.json --json")
def score(
    *,
    detections: Annotated[
        Path, typer.Option(metavar="FILE", help="What was found (camwarden/detections/1).", show_default=False)
    ],
    truth: Annotated[Path, typer.Option(metavar="FILE", help="What was there, same format.", show_default=False)],
    iou: Annotated[float, typer.Option(min=0.05, max=0.95, help="From which overlap on it is the same object.")] = 0.5,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON (camwarden/score/1) on stdout.")] = False,
) -> None:
    """Precision and recall of detections beside the truth, with 95 % intervals, and AP.

    Frames of ten seconds count as one trial of their own kind, so that a person who stands still for a minute is not
    counted as sixty proofs. A frame of the truth that was not looked at counts as one where nothing was found.
    """
    found = read_document(_read(detections, MOST_FILE_BYTES + 1), detections.name)
    true = read_document(_read(truth, MOST_FILE_BYTES + 1), truth.name)
    result = scored(found, true, iou)
    if json:
        sys.stdout.write(f"{json_module.dumps(score_document(result), indent=1)}\n")
    else:
        _show_score(result)
    if result.not_looked_at:
        raise typer.Exit(ExitCode.NOT_EVALUATED)


@app.command(
    epilog="Example: camwarden analytics replay gate/ --model new.onnx --before old.onnx\n\n"
    "Example, of a camera that was shown the clip: camwarden analytics replay gate/ --detections heard.json"
)
def replay(
    clip: Annotated[Path, typer.Argument(metavar="FOLDER", help="A golden clip: pictures and clip.json.")],
    *,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Show it to this model.", show_default="scenes.onnx, ours")
    ] = None,
    detections: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Instead: what was found in it (camwarden/detections/1).", show_default=False
        ),
    ] = None,
    before: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The earlier model, to compare with.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print only JSON (camwarden/replay/1) on stdout.")] = False,
) -> None:
    """Try a model, or what a camera said, with a golden clip, and hold it against the clip's limits.

    Exit code: 0 passed, 1 failed, 2 wrong use.
    """
    if model and detections:
        raise WrongUse("give --model or --detections, not both")
    golden = read_clip(clip)
    earlier = asyncio.run(_shown(clip, golden, before)).accuracy if before else None
    if detections:
        frames = read_document(_read(detections, MOST_FILE_BYTES + 1), detections.name)
        result = replayed(golden, {frame.index: frame.found for frame in frames}, earlier)
    else:
        result = asyncio.run(_shown(clip, golden, model or OUR_MODEL, earlier))
    if json:
        sys.stdout.write(f"{json_module.dumps(golden_document(result), indent=1)}\n")
    else:
        console = screen.console()
        console.print(f"{clean_text(golden.name)}: {'passed' if result.verdict.ok else 'failed'}")
        for reason in result.verdict.reasons:
            console.print(f"- {clean_text(reason)}")
        if result.missing:
            console.print(f"- nothing was heard of {result.missing} of {len(golden.frames)} frames")
    raise typer.Exit(ExitCode.GOOD if result.verdict.ok else ExitCode.FINDINGS)


async def _shown(clip: Path, golden: GoldenClip, model: Path, before: Measured | None = None) -> GoldenResult:
    """Every picture, decoded in a process of its own. Raises ModelError, GoldenError."""
    detector = Detector.load(model)
    seen = {}
    with screen.progress(LABELS) as advance:
        async with Decoder() as decoder:
            for done, (frame, name) in enumerate(zip(golden.frames, golden.files, strict=True), 1):
                try:
                    picture = await decoder.picture(await asyncio.to_thread(_read, clip / name, MOST_BYTES + 1))
                except Garbled as error:
                    raise GoldenError(f"{name} of the clip cannot be decoded ({error})") from error
                seen[frame.index] = await asyncio.to_thread(detector.detect, picture)
                advance("detect", done, len(golden.frames))
    return replayed(golden, seen, before)


def _show_score(result: Scored) -> None:
    table = Table()
    for heading in ("class", "precision", "95 %", "of", "recall", "95 %", "of", "AP"):
        table.add_column(heading, justify="left" if heading == "class" else "right")
    for one in result.classes:
        cells = []
        for share in (one.precision, one.recall):
            value = "-" if share.value is None else f"{share.value:.3f}"
            cells += [value, f"{share.low:.2f}-{share.high:.2f}", str(share.n)]
        table.add_row(clean_text(one.name), *cells, "-" if one.ap is None else f"{one.ap:.3f}")
    console = screen.console()
    console.print(table)
    console.print(f"{result.frames} labelled frames; an object is the same from an overlap of {result.iou:g} on.")
    if result.not_looked_at:
        console.print(
            f"{result.not_looked_at} labelled frames are missing from the detections: counted as nothing found."
        )
    if result.without_truth:
        console.print(f"{result.without_truth} frames of the detections have no truth: left out.")
