"""How many jobs may run side by side. Pure, but for the conditions that it writes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_

from fleet.jobs.model import Kind
from fleet.jobs.rows import AnyRow
from fleet.store import jobs_tables as t


@dataclass(frozen=True, slots=True)
class Limits:
    """How many jobs run at once, in all and on the cameras of one site."""

    at_once: int = 64
    per_site: int = 16


class Places:
    """How many more may run: in all, of each kind, of each site, and of each kind at each site."""

    def __init__(
        self, limits: Limits, kinds: Mapping[str, Kind], running: Iterable[tuple[str, str | None, int]]
    ) -> None:
        self._limits, self._all = limits, kinds
        self._kinds: Counter[str] = Counter()
        self._sites: Counter[str] = Counter()
        self._both: Counter[tuple[str, str]] = Counter()
        self._cameras: set[str] = set()
        for kind, site, count in running:
            self._count(kind, site, count)

    def _count(self, kind: str, site: str | None, count: int) -> None:
        self._kinds[kind] += count
        if site is not None:
            self._sites[site] += count
            self._both[kind, site] += count

    @property
    def left(self) -> int:
        return self._limits.at_once - self._kinds.total()

    @property
    def kinds(self) -> list[str]:
        return [name for name, kind in self._all.items() if self._kinds[name] < kind.at_once]

    def conditions(self) -> list[ColumnElement[bool]]:
        """What may be offered; whatever is full now is not even looked at."""
        full = [site for site, count in self._sites.items() if count >= self._limits.per_site]
        found: list[ColumnElement[bool]] = [t.Job.kind.in_(self.kinds)]
        if full:
            found.append(or_(t.Job.site.is_(None), t.Job.site.not_in(full)))
        for (kind, site), count in self._both.items():
            most = self._all[kind].per_site if kind in self._all else None
            if most is not None and count >= most:
                found.append(or_(t.Job.kind != kind, t.Job.site.is_(None), t.Job.site != site))
        return found

    def take(self, row: AnyRow) -> bool:
        kind = self._all[row.kind]
        if self.left <= 0 or self._kinds[row.kind] >= kind.at_once:
            return False
        if kind.changes_camera and row.camera in self._cameras:
            return False
        if row.site is not None:
            most = kind.per_site if kind.per_site is not None else self._limits.per_site
            if self._sites[row.site] >= self._limits.per_site or self._both[row.kind, row.site] >= most:
                return False
        self._count(row.kind, row.site, 1)
        if kind.changes_camera and row.camera:
            self._cameras.add(row.camera)
        return True
