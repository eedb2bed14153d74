"""The way from an empty console to the first useful finding, in six steps. What is done follows from what is stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network

from sqlalchemy import Select, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from fleet.errors import Invalid
from fleet.settings import Settings
from fleet.signing_in.second_factors import enrolled
from fleet.sites import stored
from fleet.standing import NEW, Standing, is_
from fleet.store import Store
from fleet.store import tables as t
from fleet.store.vault_tables import CameraLogin
from scanners.targets import MOST_TARGETS_EVER

# Behind a carrier's translation of addresses (RFC 6598): neither private by that word nor public.
_SHARED = IPv4Network("100.64.0.0/10")


class Step(StrEnum):
    """In their order."""

    ACCOUNT = "account"
    SITE = "site"
    FIND = "find"
    ADOPT = "adopt"
    LOGIN = "login"
    ASSESS = "assess"


@dataclass(frozen=True, slots=True)
class Way:
    """How far somebody has come. `over`: the cameras were examined, so that nobody needs to be led any more."""

    done: frozenset[Step]
    over: bool

    @property
    def next(self) -> Step | None:
        """The first step that is not done, `None` where all are."""
        return next((step for step in Step if step not in self.done), None)


async def way(store: Store, settings: Settings, person: str) -> Way:
    """Of this person, by their id: the second factor is theirs, all else is the estate's."""
    s, c = t.Scan, t.Camera
    adopted = select(c.id).where(c.standing == Standing.ADOPTED.value)
    questions = {
        "cameras": select(c.id),
        "undecided": select(c.id).where(is_(NEW)),
        "logins": select(CameraLogin.camera).where(CameraLogin.camera.in_(adopted)),
        "looked": select(s.id).where(s.looks_only),
        "examined": select(s.id).where(s.state == "done", s.looks_only.is_(False), s.cameras > 0),
        "findings": select(t.Finding.id).where(t.IS_LIVE),
    }
    async with store.read() as connection:
        there = {name: await _any(connection, question) for name, question in questions.items()}
        sites = await stored(connection)
    factors = await enrolled.factors(store, person)
    done = {
        Step.ACCOUNT: factors.any,
        Step.SITE: any(site.networks for site in sites),
        Step.FIND: there["cameras"],
        Step.ADOPT: there["cameras"] and not there["undecided"],
        Step.LOGIN: there["logins"] or settings.credentials_file is not None,
        Step.ASSESS: there["examined"],
    }
    # Findings without a scan of ours that only looked: somebody scans without having been led.
    over = there["examined"] or (there["findings"] and not there["looked"])
    return Way(frozenset(step for step, is_done in done.items() if is_done), over)


async def _any(connection: AsyncConnection, question: Select[str]) -> bool:
    return bool(await connection.scalar(select(exists(question))))


def refuse_wide(networks: Iterable[str]) -> None:
    """Networks of a first scan are one's own, and no more than a scan takes. Raises Invalid, in words for who typed."""
    total = 0
    for text in networks:
        try:
            network = ip_network(text.strip(), strict=False)
        except ValueError:
            continue  # `fleet.sites` says what is wrong with it
        if not _is_ours(network):
            raise Invalid(
                f"{network} is not private: write networks of your own, such as 192.168.10.0/24. A camera behind a "
                "public address is scanned from the page of scans, by its address"
            )
        total += network.num_addresses
    if total > MOST_TARGETS_EVER:
        raise Invalid(
            f"that is {total:,} addresses, more than one scan takes: name the networks in which cameras are, such as "
            "10.1.20.0/24"
        )


def _is_ours(network: IPv4Network | IPv6Network) -> bool:
    carrier = network.version == _SHARED.version and network.subnet_of(_SHARED)
    return (network.is_private or network.is_link_local or carrier) and not network.is_multicast
