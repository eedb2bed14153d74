"""What is said of cameras' own AI: `camwarden/accuracy/1`, and a table for people."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from analytics_qa.drift import State
from analytics_qa.intervals import Share
from analytics_qa.scoring import share_values
from cameras.untrusted import clean_text
from fleet.accuracy.card import AccuracyCard

FORMAT = "camwarden/accuracy/1"
Cards = Sequence[tuple[str, AccuracyCard]]
_STYLES = {State.STEADY: "green", State.DRIFTED: "bold red", State.LEARNING: "cyan", State.NOT_ASSESSABLE: "yellow"}


def cards_document(cards: Cards) -> dict[str, Any]:
    return {"format": FORMAT, "cameras": [_values(word, card) for word, card in cards]}


def _values(word: str, card: AccuracyCard) -> dict[str, Any]:
    watch = card.last
    return {
        "camera": word,
        "version": card.version,
        "picture": card.picture,
        "drift": {"state": card.drift.state.value, "cause": card.drift.cause, "reason": card.drift.reason},
        "accuracy": [
            {
                "condition": one.condition,
                "precision": share_values(one.precision),
                "recall": share_values(one.recall),
                "pictures": one.pictures,
                "first": one.first.isoformat(),
                "last": one.last.isoformat(),
            }
            for one in card.accuracies
        ],
        "labels": card.labels,
        "watch": None
        if watch is None
        else {
            "state": watch.state.value,
            "error": watch.error,
            "seconds": watch.seconds,
            "condition": watch.condition,
            "frames": watch.frames,
            "unreadable": watch.unreadable,
            "lost": watch.lost,
            "counted": watch.counted,
            "pictures": watch.pictures,
            "reference": watch.reference,
            "reference_seen": watch.reference_seen,
            "agreed": watch.agreed,
            "claimed": watch.claimed,
        },
    }


def cards_table(cards: Cards) -> RenderableType:
    table = Table()
    for heading in ("camera", "counted", "of the reference's", "recall", "precision", "picture", "drift", "cause"):
        table.add_column(heading)
    words: list[Text] = []
    for word, card in cards:
        watch = card.last
        seen = f"{watch.agreed} of {watch.reference_seen}" if watch and watch.pictures else "-"
        first = card.accuracies[0] if card.accuracies else None
        table.add_row(
            clean_text(word),
            str(watch.counted) if watch and watch.error is None else "-",
            seen,
            _share(first.recall if first else None),
            _share(first.precision if first else None),
            card.picture,
            Text(card.drift.state.value, style=_STYLES[card.drift.state]),
            card.drift.cause.value if card.drift.cause else "",
        )
        words.append(Text(f"{clean_text(word)}: {watch.error if watch and watch.error else card.drift.reason}"))
    return Group(table, *words)


def _share(share: Share | None) -> str:
    """Never without its interval."""
    if share is None or share.value is None:
        return "not labelled"
    return f"{share.value:.2f} ({share.low:.2f}-{share.high:.2f}, n={share.n})"
