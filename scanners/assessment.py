"""From targets to verdicts: sweep, knock, visit, judge, for many cameras at once. Needs no store and no server."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Literal

from cameras import soap
from cameras.budget import AttemptBudget
from cameras.facts import Gap, OpenPorts
from scanners.collect import VisitOptions, ask_snmp, collect
from scanners.credentials import CredentialRule, for_address
from scanners.discovery.sweep import sweep
from scanners.dossier import Dossier
from scanners.evaluate import evaluate
from scanners.identify import NotEvaluated, identify, in_its_own_words, is_silent
from scanners.knowledge import Knowledge, load_knowledge
from scanners.model import Verdict
from scanners.score import score
from scanners.targets import Target

logger = logging.getLogger(__name__)

__all__ = ["CameraAssessment", "NotEvaluated", "Options", "Progress", "assess"]


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` targets in a phase.

    Both phases run side by side: cameras are visited while the sweep goes on.
    """

    phase: Literal["sweep", "assess"]
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class CameraAssessment:
    """One camera: what was seen, what it means, and a score from 0 (worst) to 100."""

    dossier: Dossier
    verdicts: tuple[Verdict, ...]
    score: int


@dataclass(frozen=True, slots=True)
class Options:
    """How to assess. Times in seconds; `ports` are tried on every address that is not shared.

    `without_login`: addresses, or address:port, to which no login is sent, whatever `credentials` say.
    """

    credentials: Sequence[CredentialRule] = ()
    default_credentials: bool = True
    without_login: frozenset[str] = frozenset()
    ports: tuple[int, ...] | None = None
    cameras_at_once: int = 128
    connects_per_second: float | None = None
    connect_timeout_s: float = 2.0
    request_timeout_s: float = 8.0
    knowledge: Knowledge = field(default_factory=load_knowledge)
    budget: AttemptBudget = field(default_factory=AttemptBudget)


Result = CameraAssessment | NotEvaluated


async def assess(
    targets: Sequence[Target], options: Options, on_progress: Callable[[Progress], None] = lambda _: None
) -> AsyncIterator[Result]:
    """One result per target, as they come. Closing the iterator early stops everything that is under way.

    A fault of ours on one camera becomes an "error" result and costs no other camera its own.
    """
    await asyncio.to_thread(soap.descriptions)
    # A place is given back when its result has been taken, so that a slow reader slows the visits and not fills memory.
    places = asyncio.Semaphore(options.cameras_at_once)
    results: asyncio.Queue[Result | None] = asyncio.Queue()
    work = asyncio.create_task(_work(targets, options, on_progress, results, places))
    try:
        while (result := await results.get()) is not None:
            yield result
            places.release()
        await work
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def _work(
    targets: Sequence[Target],
    options: Options,
    on_progress: Callable[[Progress], None],
    results: "asyncio.Queue[Result | None]",
    places: asyncio.Semaphore,
) -> None:
    done = 0

    async def visit(target: Target, ports: OpenPorts | Gap) -> None:
        nonlocal done
        results.put_nowait(await _assess_one(target, ports, options))
        done += 1
        on_progress(Progress("assess", done, len(targets)))

    try:
        async with asyncio.TaskGroup() as visits:
            async for target, ports in _with_ports(targets, options, on_progress):
                await places.acquire()
                visits.create_task(visit(target, ports))
    finally:
        results.put_nowait(None)


async def _with_ports(
    targets: Sequence[Target], options: Options, on_progress: Callable[[Progress], None]
) -> AsyncIterator[tuple[Target, OpenPorts | Gap]]:
    """Each target with its ports. On a shared address the ports belong to several cameras, so none is tried."""
    own: dict[str, list[Target]] = {}
    for target in targets:
        if target.shared:
            yield (
                target,
                Gap("not-asked", "several targets share this address, so its ports belong to no single camera"),
            )
        else:
            own.setdefault(target.address, []).append(target)
    swept = sweep(
        list(own),
        options.ports or options.knowledge.ports.numbers,
        per_second=options.connects_per_second,
        timeout_s=options.connect_timeout_s,
        on_progress=lambda done, total: on_progress(Progress("sweep", done, total)),
    )
    async for address, ports in swept:
        for target in own[address]:
            yield target, ports


async def _assess_one(target: Target, ports: OpenPorts | Gap, options: Options) -> Result:
    closed = not options.without_login.isdisjoint((target.address, f"{target.address}:{target.port}"))
    visit = VisitOptions(
        credentials=() if closed else for_address(options.credentials, target.address, target.port),
        default_credentials=options.default_credentials and not closed,
        timeout_s=options.request_timeout_s,
        knowledge=options.knowledge,
        budget=options.budget,
    )
    try:
        async with AsyncExitStack() as connections:
            met = await identify(connections, target, ports, options.budget, options.request_timeout_s)
            dossier = met if isinstance(met, NotEvaluated) else await collect(met, target, ports, visit)
        if isinstance(met, NotEvaluated) and not is_silent(met):
            return in_its_own_words(met, await ask_snmp(target, visit))
        if isinstance(dossier, NotEvaluated):
            return dossier
        verdicts = evaluate(dossier, options.knowledge)
        return CameraAssessment(dossier, verdicts, score(verdicts))
    except Exception as error:
        # The boundary of one camera's task: our fault here must not cost the others their results.
        logger.exception("assessing a camera failed", extra={"camera": target.address})
        return NotEvaluated(
            target.address, "error", f"a fault of ours ({type(error).__name__}); see the log", target.port
        )
