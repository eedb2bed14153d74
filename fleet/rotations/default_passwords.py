"""Documented default passwords that were found on a camera: changed without asking a person what they are, and proved.

The password of a pair stays in the process: it goes from the knowledge file into the vault, and from there to the
camera when it is changed.
"""

import asyncio
from dataclasses import replace

from sqlalchemy import select

from cameras.facts import CredentialTrials, Gap
from fleet.errors import Invalid, NotFound
from fleet.findings import triage as findings
from fleet.people.scope import EVERYWHERE, Scope
from fleet.scans import adoption
from fleet.settings import Settings
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.packing import unpack
from fleet.vault.passwords import Vault
from scanners import dossier as dossiers
from scanners.assessment import CameraAssessment
from scanners.dossier import Dossier
from scanners.evaluate import evaluate
from scanners.knowledge import Knowledge, load_knowledge
from scanners.score import score

CHECK = "default-credentials"


async def hold_default(
    store: Store, vault: Vault, settings: Settings, finding: str, actor: str, *, scope: Scope = EVERYWHERE
) -> tuple[str, str]:
    """Camera and account of a finding, whose default password the vault then holds, so that it can be changed.

    Raises NotFound, and Invalid where the finding is another one or its pair is not known any more.
    """
    wanted = select(t.Finding.camera, t.Finding.check_id, t.Finding.subject, t.Finding.evidence)
    async with store.read() as connection:
        this = (t.Finding.id == finding, scope.of(t.Finding.camera))
        row = (await connection.execute(wanted.where(*this))).first()
    if row is None:
        raise NotFound("there is no such finding")
    if row.check_id != CHECK:
        raise Invalid("this finding is not about a default password")
    accepted = [pair for pair, outcome in row.evidence.get("pairs", {}).items() if outcome == "accepted"]
    knowledge = await _knowledge(settings)
    pairs = [pair for vendor in knowledge.default_credentials.vendors for pair in vendor.pairs if pair.id in accepted]
    if not pairs:
        raise Invalid("the pair that was accepted is not known any more; scan the camera again")
    await vault.put(row.camera, pairs[0].account, pairs[0].password, actor)
    return row.camera, pairs[0].account


async def changed(store: Store, settings: Settings, camera: str, account: str) -> None:
    """Its old password was just proved to be refused: a default one that the last visit found is gone.

    Judged anew from the stored evidence with that one outcome changed, without a packet to the camera.
    """
    dossier = await last_dossier(store, camera)
    if dossier is None or isinstance(dossier.credential_trials, Gap):
        return
    trials = tuple(
        replace(one, outcome="refused", detail="refused when its password was changed")
        if one.account == account and one.outcome == "accepted"
        else one
        for one in dossier.credential_trials.trials
    )
    if trials != dossier.credential_trials.trials:
        told = replace(dossier.credential_trials, trials=trials)
        await findings.record(store, judged(replace(dossier, credential_trials=told), await _knowledge(settings)))


async def earlier_trials(store: Store, seen: Dossier) -> CredentialTrials | None:
    """What the visit before this one knew of the camera's default passwords, for one that did not try them again."""
    async with store.read() as connection:
        camera = await adoption.stored(connection, adoption.who(seen))
    before = await last_dossier(store, camera.id) if camera else None
    known = None if before is None else before.credential_trials
    return known if isinstance(known, CredentialTrials) else None


def judged(dossier: Dossier, knowledge: Knowledge) -> CameraAssessment:
    verdicts = evaluate(dossier, knowledge)
    return CameraAssessment(dossier, verdicts, score(verdicts))


async def last_dossier(store: Store, camera: str) -> Dossier | None:
    """`None` where nothing is stored, or only what another version of us wrote."""
    here = select(t.StoredDossier.body).join(t.Camera, t.Camera.last_dossier == t.StoredDossier.id)
    async with store.read() as connection:
        body = await connection.scalar(here.where(t.Camera.id == camera))
    try:
        return dossiers.load(unpack(body)) if body else None
    except ValueError:
        return None


async def _knowledge(settings: Settings) -> Knowledge:
    return await asyncio.to_thread(load_knowledge, settings.catalogue_file)
