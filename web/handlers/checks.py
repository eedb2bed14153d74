"""The catalogue of checks."""

from starlette.responses import Response

from scanners.checks import CHECKS
from scanners.model import Severity
from web.contexts import Checks
from web.visit import Visited

_RANK = {severity: rank for rank, severity in enumerate(Severity)}
WORST_FIRST = tuple(sorted(CHECKS, key=lambda check: (_RANK[check.severity], check.title)))


async def show_all(visit: Visited) -> Response:
    return visit.page(Checks(WORST_FIRST))
