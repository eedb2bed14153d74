"""How well a camera's own analytics see: by version, and changing with time. Plain frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType
from typing import Literal

Dialect = Literal["onvif", "pixels", "legacy"]
Spoiled = Literal["not-a-number", "1970", "unclosed", "huge", "wrong-prefix"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`recall` is for a thing of fair size, by day, in full view; `jitter` the error of an edge in shares of a box."""

    recall: float
    false_per_min: float
    jitter: float = 0.03


VERSIONS: Mapping[str, Behaviour] = MappingProxyType(
    {
        "2.0.0": Behaviour(0.90, 0.6, 0.05),
        "2.1.0": Behaviour(0.95, 0.3),
        "2.2.0": Behaviour(0.78, 2.5, 0.06),
        "2.3.0": Behaviour(0.96, 0.25),
    }
)
GOOD = "2.1.0"
DROPPED = 0.55
"""What is left of the recall where a firmware spoils the analytics."""


@dataclass(frozen=True, slots=True)
class Drift:
    """From a second of the estate's week on, the analytics see otherwise."""

    from_s: float
    recall: float
    false_per_min: float


@dataclass(frozen=True, slots=True)
class AnalyticsPlan:
    """The analytics that a camera is delivered with. `dialect` is how it writes metadata, `spoiled` how it fails to."""

    version: str = GOOD
    drift: Drift | None = None
    dialect: Dialect = "onvif"
    spoiled: Spoiled | None = None

    def at(self, t_s: float, *, version: str | None = None, told: Mapping[str, object] | None = None) -> Behaviour:
        """How it sees at a moment. An app that is installed has a version, and can tell its own behaviour."""
        found = VERSIONS.get(version or self.version, VERSIONS[GOOD])
        for name in ("recall", "false_per_min", "jitter"):
            value = (told or {}).get(name)
            if isinstance(value, int | float):
                found = replace(found, **{name: float(value)})
        if self.drift is not None and t_s >= self.drift.from_s:
            found = replace(
                found,
                recall=min(found.recall, self.drift.recall),
                false_per_min=max(found.false_per_min, self.drift.false_per_min),
            )
        return found


DIALECTS: Mapping[str, Dialect] = MappingProxyType({"hanwha": "pixels", "dahua": "legacy", "onvif": "legacy"})
"""By vendor; everybody else writes as the specification does."""


FAULTS: Mapping[str, AnalyticsPlan] = MappingProxyType(
    {
        "analytics-drift": AnalyticsPlan(drift=Drift(0, 0.55, 4.0)),
        "analytics-worse": AnalyticsPlan(version="2.2.0"),
        "metadata-not-a-number": AnalyticsPlan(spoiled="not-a-number"),
        "metadata-1970": AnalyticsPlan(spoiled="1970"),
        "metadata-unclosed": AnalyticsPlan(spoiled="unclosed"),
        "metadata-huge": AnalyticsPlan(spoiled="huge"),
        "metadata-wrong-prefix": AnalyticsPlan(spoiled="wrong-prefix"),
    }
)
"""What can be wrong with analytics, by the names that `--picture-fault` takes beside those of pictures."""


def analytics_plan(vendor: str, fault: str | None, rng: Random, start_s: float) -> AnalyticsPlan:
    """The analytics of a new camera. A drift that was asked for comes within the first hours."""
    plan = FAULTS[fault] if fault is not None else AnalyticsPlan()
    if plan.drift is not None:
        plan = replace(plan, drift=replace(plan.drift, from_s=round(start_s + rng.uniform(1, 6) * 3600)))
    return replace(plan, dialect=DIALECTS.get(vendor, "onvif"))
