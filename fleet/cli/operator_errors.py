"""Errors whose texts are written for the operator and carry no secret: one line of a command says them as they are."""

from analytics_qa.errors import AnalyticsError
from fleet.errors import FleetError
from fleet.reports.assessment import ReportError
from fleet.reports.output import OutputError
from hardening.baseline import BaselineError
from hardening.plan import PlanError
from scanners.credentials import CredentialsError
from scanners.discovery.interfaces import InterfaceError
from scanners.discovery.nmap import NmapFailed, NmapMissing
from scanners.knowledge import KnowledgeError
from scanners.targets import TargetError

ERRORS: tuple[type[Exception], ...] = (
    *(TargetError, CredentialsError, KnowledgeError, InterfaceError, NmapMissing, NmapFailed),
    *(OutputError, ReportError, FleetError, BaselineError, PlanError, AnalyticsError),
)
