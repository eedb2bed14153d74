"""What a scan is asked for: which addresses, at whose sites, and how gently they are looked at."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from cameras.budget import AttemptBudget
from cameras.untrusted import clean_text
from fleet import sites
from fleet.errors import Invalid, NeedsConfirmation
from fleet.people.scope import Scope
from fleet.scans.rows import ScanId, ScanState, ScanView
from fleet.settings import Settings
from fleet.sites import Site
from fleet.store.ids import new_id
from scanners.assessment import Options
from scanners.credentials import CredentialRule, load_credentials
from scanners.knowledge import load_knowledge
from scanners.targets import MOST_TARGETS_EVER, Target, TargetError, TooManyTargets, parse_targets

_MOST_TEXT = 64 * 1024


def words(text: str) -> list[str]:
    if len(text) > _MOST_TEXT:
        raise Invalid(f"write at most {_MOST_TEXT // 1024} KiB of targets")
    words = [word for word in re.split(r"[\s,;]+", text) if word]
    if not words:
        raise Invalid("write at least one address, such as 192.168.1.0/24")
    return words


def targets(words: Sequence[str], most: int | None) -> list[Target]:
    try:
        return parse_targets(words, most=most)
    except TooManyTargets as error:
        if error.count > MOST_TARGETS_EVER:
            raise Invalid(str(error)) from error
        raise NeedsConfirmation(error.count) from error
    except TargetError as error:
        raise Invalid(str(error)) from error


def placed(targets: Iterable[Target], known: Sequence[Site], scope: Scope) -> frozenset[str | None]:
    """Blocks for as long as many addresses take."""
    found: set[str | None] = set()
    for address in {target.address for target in targets}:
        site = sites.name_at(address, known)
        if not scope.covers(site):
            raise Invalid(
                f"{clean_text(address)} belongs to none of your sites: write addresses in their networks, as they "
                "stand under Sites"
            )
        found.add(site)
    return frozenset(found)


def options(settings: Settings, budget: AttemptBudget, view: ScanView, logins: Sequence[CredentialRule]) -> Options:
    """Reads files: run it in a thread. The vault knows of changes that the file does not."""
    held = {(rule.match, rule.port) for rule in logins}
    file = None if view.looks_only else settings.credentials_file
    in_file = load_credentials(file) if file else []
    return Options(
        credentials=[*logins, *(rule for rule in in_file if (rule.match, None) not in held)],
        default_credentials=view.default_credentials,
        cameras_at_once=settings.cameras_at_once,
        knowledge=load_knowledge(settings.catalogue_file),
        budget=budget,
    )


def queued(targets: str, actor: str, now: datetime, *, default_credentials: bool, looks_only: bool) -> ScanView:
    return ScanView(
        id=ScanId(new_id()),
        state=ScanState.QUEUED,
        targets=targets,
        actor=clean_text(actor),
        default_credentials=default_credentials,
        looks_only=looks_only,
        queued_at=now,
        started_at=None,
        finished_at=None,
        phase="",
        done=0,
        total=0,
        cameras=0,
        failed_verdicts=0,
        not_evaluated=0,
        error=None,
    )
