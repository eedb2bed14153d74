"""Proof after a change: one stored camera is assessed again, and its findings say what became of them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from cameras.budget import AttemptBudget
from cameras.place import Place
from cameras.secret import Credential
from fleet.findings import triage as findings
from fleet.rotations import default_passwords
from fleet.settings import Settings
from fleet.store import Store
from scanners.assessment import NotEvaluated, Options, assess
from scanners.credentials import CredentialRule
from scanners.knowledge import load_knowledge
from scanners.targets import Target

# Says in one line what the assessment found; `place` is where the camera is now.
Prove = Callable[[Place, Credential], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Proof:
    """`camera` is the row that the visit was kept under, `None` where the camera could not be judged."""

    camera: str | None
    words: str


def proving(store: Store, settings: Settings, budget: AttemptBudget) -> Prove:
    """What a plan asks for after each camera."""

    async def prove(place: Place, credential: Credential) -> str:
        return (await assess_again(store, settings, budget, place, credential)).words

    return prove


async def assess_again(
    store: Store, settings: Settings, budget: AttemptBudget, place: Place, credential: Credential
) -> Proof:
    """One visit with this login, kept like any other. Default passwords are left alone: their tries would lock us out
    of the next change; what the visit before knew of them still holds. Raises StoreUnavailable, KnowledgeError.
    """
    knowledge = await asyncio.to_thread(load_knowledge, settings.catalogue_file)
    target = Target(place.address, place.port, place.scheme, None, shared=place.shared)
    options = Options(
        credentials=[CredentialRule(place.address, credential)],
        default_credentials=False,
        cameras_at_once=1,
        knowledge=knowledge,
        budget=budget,
    )
    results = [result async for result in assess([target], options)]
    (result,) = results
    if isinstance(result, NotEvaluated):
        return Proof(None, f"it could not be assessed again ({result.reason}): {result.detail}")
    if (known := await default_passwords.earlier_trials(store, result.dossier)) is not None:
        result = default_passwords.judged(replace(result.dossier, credential_trials=known), knowledge)
    kept = await findings.record(store, result)
    return Proof(kept.camera, _words(kept))


def _words(kept: findings.Recorded) -> str:
    counted = (("fixed", kept.fixed), ("opened", kept.opened), ("reopened", kept.reopened))
    return ", ".join(f"{number} {word}" for word, number in counted if number) or "no finding has changed"
