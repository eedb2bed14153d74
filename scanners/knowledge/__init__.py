"""Dated data that cameras are judged against. Each file says from when it is and where its rows come from."""

from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from scanners.knowledge.reading import KnowledgeError, read_table
from scanners.knowledge.tables import (
    DefaultCredentials,
    DefaultPair,
    EnterpriseRegistry,
    FirmwareCatalogue,
    KnownPort,
    MacRegistry,
    Policy,
    PortTable,
    Table,
    VendorDefaults,
)

__all__ = [
    "DefaultCredentials",
    "DefaultPair",
    "EnterpriseRegistry",
    "FirmwareCatalogue",
    "Knowledge",
    "KnowledgeError",
    "KnownPort",
    "MacRegistry",
    "Policy",
    "PortTable",
    "Table",
    "VendorDefaults",
    "enterprise_registry",
    "load_knowledge",
    "mac_registry",
]


@dataclass(frozen=True)
class Knowledge:
    """All tables. A check names the type of a table in its `needs` and is handed the table."""

    firmware: FirmwareCatalogue
    default_credentials: DefaultCredentials
    ports: PortTable
    policy: Policy

    def answer(self, table: type) -> object:
        """The table of that type. KeyError where knowledge holds no such table."""
        tables: dict[type, object] = {
            FirmwareCatalogue: self.firmware,
            DefaultCredentials: self.default_credentials,
            PortTable: self.ports,
            Policy: self.policy,
        }
        return tables[table]

    def for_visit(self, day: date, port: int) -> "Knowledge":
        """As it bears on one visit: the age of the catalogue on that day, the port that we spoke through."""
        return replace(self, firmware=self.firmware.seen_on(day), ports=self.ports.through(port))


@lru_cache(maxsize=8)
def load_knowledge(catalogue: Path | None = None) -> Knowledge:
    """The bundled tables, with the firmware catalogue of the user where one is given. Raises KnowledgeError.

    Read once per process and path: a changed catalogue counts after `load_knowledge.cache_clear()` or a restart.
    """
    bundled = files(__name__)
    return Knowledge(
        firmware=read_table(catalogue or bundled / "firmware.yaml", FirmwareCatalogue),
        default_credentials=read_table(bundled / "default_credentials.yaml", DefaultCredentials),
        ports=read_table(bundled / "ports.yaml", PortTable),
        policy=read_table(bundled / "policy.yaml", Policy),
    )


@lru_cache(maxsize=1)
def mac_registry() -> MacRegistry:
    """No check judges by it, so it is no part of `Knowledge`: it only says what a MAC hints at."""
    return read_table(files(__name__) / "oui.yaml", MacRegistry)


@lru_cache(maxsize=1)
def enterprise_registry() -> EnterpriseRegistry:
    """Whose agent answers by SNMP: a hint, too, that no check judges by."""
    return read_table(files(__name__) / "enterprises.yaml", EnterpriseRegistry)
