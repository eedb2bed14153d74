"""log.cgi: a search that is begun, read page by page, and ended."""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from simulator.api import Answer, Call, Page, needs
from simulator.dahua_cgi.words import OK, asked, bad, lines
from simulator.device import Device

MOST_SEARCHES, MOST_ROWS = 8, 100


def _rows(device: Device) -> list[tuple[str, str, str]]:
    """Type, account and details, oldest first."""
    boots = [("System Startup", "System", f"boot {number + 1}") for number in range(device.boots)]
    wrong = [("Login Failed", name, f"{tries} time(s)") for name, tries in device.guard.wrong_tries.items()]
    return [*boots, *(("Upgrade", "System", version) for version in device.flashed), *wrong]


def _start(call: Call) -> Answer:
    said, searches = dict(asked(call)), call.device.log_searches
    if not {"condition.StartTime", "condition.EndTime"} <= said.keys():
        return bad(call)
    token = max(searches, default=0) + 1
    searches[token] = 0
    if len(searches) > MOST_SEARCHES:  # nobody ended it
        del searches[min(searches)]
    return lines([("token", token)])


def _next(call: Call) -> Answer:
    said, device = dict(asked(call)), call.device
    token, count = said.get("token", ""), said.get("count", "")
    if not (token.isdigit() and count.isdigit()) or int(token) not in device.log_searches:
        return bad(call)
    first = device.log_searches[int(token)]
    found = _rows(device)[first : first + min(int(count), MOST_ROWS)]
    device.log_searches[int(token)] = first + len(found)
    began = time.time() + device.plan.clock_offset_s - device.uptime_s
    told: list[tuple[str, object]] = [("found", len(found))]
    for number, (kind, user, detail) in enumerate(found):
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(began + first + number))
        own = f"items[{number}]"
        told += [(f"{own}.Time", stamp), (f"{own}.Type", kind), (f"{own}.User", user), (f"{own}.Detail", detail)]
    return lines(told)


def _stop(call: Call) -> Answer:
    token = dict(asked(call)).get("token", "")
    known = token.isdigit() and call.device.log_searches.pop(int(token), None) is not None
    return OK if known else bad(call)


_ACTIONS: Mapping[str, Callable[[Call], Answer]] = MappingProxyType(
    {"startFind": _start, "doFind": _next, "stopFind": _stop}
)


def _log(call: Call) -> Answer:
    return _ACTIONS.get(dict(asked(call)).get("action", ""), bad)(call)


LOG = Page(needs("operator"), _log)
