"""The firewall of AXIS OS 12: whom it lets in, and the rules that say so. Pure.

A list of addresses is a default and, for each address, a rule of the opposite. What else it has stays as it is where
it can stand before the list: rules of a rate, and rules that keep out by port, MAC or kind of packet. Anything else
would let somebody past the list or be lost with it, and is named in words.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from cameras.errors import Garbled, Refused
from cameras.facts import IpFilter
from cameras.untrusted import clean_text
from cameras.vapix_replies import MOST_ENTRIES
from cameras.vapix_rest import as_object, truth

MOST_NAMED = 8
_OPPOSITE = MappingProxyType({"DROP": "ACCEPT", "ACCEPT": "DROP"})
_DEFAULTS: Mapping[str, Literal["ACCEPT", "DROP"]] = MappingProxyType({"allow": "DROP", "deny": "ACCEPT"})
_BESIDE_ADDRESSES = ("mac", "tcpPort", "udpPort", "port", "portRange", "pktType")


@dataclass(frozen=True, slots=True)
class Firewall:
    """`default` is what happens to whom no rule fits, `rows` are the rules in force, or kept for when it is on.

    `said_left` is how long rules on trial have until the earlier ones are back, in seconds, as it was said.
    """

    activated: bool
    default: str
    rows: tuple[object, ...]
    said_left: object

    @property
    def left_s(self) -> int:
        """0 where nothing is on trial. Raises Garbled: not to know is not to have none."""
        if isinstance(self.said_left, int | str) and re.fullmatch(r"[0-9]{1,9}", str(self.said_left)):
            return int(self.said_left)
        raise Garbled("firewall: it does not say whether its rules are on trial")


def decode_firewall(data: object) -> Firewall:
    said = as_object(data, "firewall")
    activated = truth(said.get("activated"))
    rules = as_object(as_object(said.get("conf"), "firewall").get("rules"), "firewall")
    default, rows, left = (rules.get(name) for name in ("activeDefaultPolicy", "activeRules", "testTimeLeft"))
    if default not in _OPPOSITE or not isinstance(rows, list) or activated is None:
        raise Garbled("firewall: it does not say whom it lets in")
    return Firewall(activated, str(default), tuple(rows), left)


def ip_filter_of(firewall: Firewall) -> IpFilter:
    """By address alone: rules for a port and limits of a rate are no filter by address.

    Who is dropped by default lets in only those that are accepted, and the other way round.
    """
    if not firewall.activated:
        return IpFilter("off", ())
    policy = _OPPOSITE[firewall.default]
    rows = [row for row in firewall.rows[:MOST_ENTRIES] if _policy(row) == policy]
    addresses = tuple(address for row in rows if (address := _address(row)))
    if policy == "ACCEPT":
        return IpFilter("allow", addresses)
    return IpFilter("deny" if addresses else "off", addresses)


def besides(firewall: Firewall) -> tuple[str, ...]:
    """Rules that forbid to set a list, in words.

    While it is off, what it keeps beside addresses would come into force with it, all at once and not on trial.
    """
    others = [row for row in firewall.rows if not (_is_listed(row, firewall) or _stays(row, firewall))]
    more = [f"{len(others) - MOST_NAMED} more"] if len(others) > MOST_NAMED else []
    return (*(_words(row) for row in others[:MOST_NAMED]), *more)


def rules_for(firewall: Firewall, wanted: IpFilter) -> Mapping[str, Any]:
    """What setRules is told for it, but for the time of the trial. Raises Refused."""
    if others := besides(firewall):
        raise Refused(f"firewall: it has rules that a list of addresses cannot stand beside: {'; '.join(others)}")
    default = _DEFAULTS.get(wanted.mode or "", "ACCEPT")
    kept = [_without_nulls(row) for row in firewall.rows if _stays(row, firewall)]
    listed = [] if wanted.mode == "off" else [_rule(address, _OPPOSITE[default]) for address in wanted.addresses]
    if len(kept) + len(listed) > MOST_ENTRIES:
        raise Refused(f"firewall: more than {MOST_ENTRIES} rules, with those that it has already, are not set")
    return {"rules": [*kept, *listed], "defaultPolicy": default}


def _is_listed(row: object, firewall: Firewall) -> bool:
    """One entry of a list of addresses. Of a firewall that is off any is: none is in force."""
    alone = isinstance(row, dict) and not any(row.get(name) is not None for name in _BESIDE_ADDRESSES)
    fits = not firewall.activated or _policy(row) == _OPPOSITE[firewall.default]
    return alone and fits and _policy(row) is not None and _address(row) is not None


def _stays(row: object, firewall: Firewall) -> bool:
    if not firewall.activated or not isinstance(row, dict):
        return False
    return row.get("ruleType") == "LIMIT" or (_policy(row) == "DROP" and _address(row) is None)


def _policy(row: object) -> str | None:
    """ "ACCEPT" or "DROP" of a rule that filters, `None` for any other."""
    said = row if isinstance(row, dict) else {}
    action = said.get("filter")
    policy = action.get("policy") if said.get("ruleType") == "FILTER" and isinstance(action, dict) else None
    return policy if policy in _OPPOSITE else None


def _address(row: object) -> str | None:
    said = row if isinstance(row, dict) else {}
    if isinstance(said.get("ip"), str):
        return clean_text(said["ip"])
    between = said.get("ipRange")
    return clean_text(f"{between.get('start')}-{between.get('end')}") if isinstance(between, dict) else None


def _words(row: object) -> str:
    if not isinstance(row, dict):
        return "a rule that is none"
    named = [_address(row), *(f"{name} {json.dumps(row[name])}" for name in _BESIDE_ADDRESSES if row.get(name))]
    return clean_text(" ".join([_policy(row) or str(row.get("ruleType")), *(word for word in named if word)]), 120)


def _rule(address: str, policy: str) -> Mapping[str, Any]:
    start, dash, end = address.partition("-")
    where = {"ipRange": {"start": start, "end": end}} if dash else {"ip": address}
    return {"ruleType": "FILTER", **where, "filter": {"policy": policy}}


def _without_nulls(row: object) -> Mapping[str, Any]:
    """As it is written: what is null when it is read may be left out."""
    return {name: value for name, value in as_object(row, "firewall").items() if value is not None}
