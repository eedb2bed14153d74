"""Only these addresses come in. A list that shuts us out is a way to the camera by van: it is tried before it counts.

What is sent is on trial: the camera takes it back by itself unless we tell it to stay, over a connection that was made
under it. Before anything is sent, the list must hold the address that we come from; where a jump host or NAT stands
between, a person states which address the camera sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network, summarize_address_range
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from cameras.driver import Driver
from cameras.errors import Unsupported
from cameras.facts import FilterTrial, Gap, IpFilter
from hardening.doors import WouldCutUsOff
from hardening.model import Compared, Parameters, PasswordFor, Risk, Setting, Trial, drift, in_order, unknown

MOST_ADDRESSES = 48
TRIAL_S = 60
"""Long enough to come in anew by a slow line; shorter than we wait for a camera that fell silent (`Patience`)."""

Seen = tuple[IpFilter, FilterTrial | Gap]


def _network(text: str) -> str:
    """Raises ValueError, which pydantic turns into its own."""
    try:
        network = ip_network(text)
    except ValueError:
        raise ValueError("write addresses such as 10.0.0.5, or networks such as 10.0.0.0/24") from None
    if network.prefixlen == 0:
        raise ValueError("this lets everybody in; leave the setting out instead")
    return _plain(network)


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError("write the address that the camera sees, such as 10.0.0.5") from None


class AllowList(Parameters):
    """`seen_from` are the addresses that we come from, as cameras see them, where that is not our own."""

    addresses: Annotated[
        tuple[Annotated[str, AfterValidator(_network)], ...],
        Field(min_length=1, max_length=MOST_ADDRESSES, strict=False),
    ]
    seen_from: Annotated[tuple[Annotated[str, AfterValidator(_address)], ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _holds_us(self) -> Self:
        if outside := [address for address in self.seen_from if not _holds(self.addresses, address)]:
            raise ValueError(f"`addresses` must hold {', '.join(outside)}: we come from there")
        return self


@dataclass(frozen=True, slots=True)
class Listed:
    """Whom a camera lets in. `cannot` is why it is not told, "" where it can be; `besides` is `FilterTrial`'s.

    `stated` are the addresses that the baseline says we come from, `seen_from` the one that we left from when it was
    looked at: neither is a state of the camera.
    """

    mode: Literal["off", "allow", "deny"] | None
    addresses: tuple[str, ...]
    on_trial: bool
    cannot: str
    besides: tuple[str, ...]
    stated: tuple[str, ...] = field(compare=False)
    seen_from: str | None = field(compare=False)


async def _observe(driver: Driver) -> Seen:
    """The trial first: one that ends between the two questions then shows as a list that is not in force."""
    trial: FilterTrial | Gap
    try:
        trial = await driver.filter_trial()
    except Unsupported as error:
        trial = Gap("unsupported", str(error))
    return await driver.ip_filter(), trial


def _wanted(parameters: AllowList) -> Listed:
    return Listed("allow", parameters.addresses, False, "", (), parameters.seen_from, None)


def _state(fact: Seen, wanted: Listed) -> Listed:
    said, trial = fact
    if isinstance(trial, Gap):
        return Listed(said.mode, said.addresses, False, trial.detail, (), wanted.stated, None)
    return Listed(
        said.mode, said.addresses, bool(trial.left_s), "", trial.besides, wanted.stated, seen_from=trial.seen_from
    )


def _judge(seen: Listed, wanted: Listed) -> Compared:
    if seen.mode is None:
        return unknown("the camera does not say whom it lets in by address")
    if not _is_same(seen, wanted):
        return drift(_sentence(seen))
    if wanted.mode == "allow" and (more := [rule for rule in seen.besides if rule not in wanted.besides]):
        return drift(f"{_sentence(seen)}, and has rules beside that list: {'; '.join(more)}")
    if seen.on_trial:
        return drift(f"{_sentence(seen)}, but only on trial: it goes back by itself unless somebody confirms it")
    return in_order(_sentence(seen))


def _is_same(seen: Listed, wanted: Listed) -> bool:
    if seen.mode != wanted.mode:
        return False
    return seen.mode == "off" or _known(seen.addresses) == _known(wanted.addresses)


def _sentence(state: Listed) -> str:
    if state.mode == "off":
        return "it lets everybody in, whatever their address"
    return f"it {'lets in only' if state.mode == 'allow' else 'keeps out'} {', '.join(state.addresses) or 'nobody'}"


def _words(state: Listed) -> Sequence[str]:
    if state.mode is None or state.mode == "off":
        return (f"by address: {'not said' if state.mode is None else 'everybody is let in'}",)
    action = "let in" if state.mode == "allow" else "kept out"
    return tuple(f"{action}: {address}" for address in _known(state.addresses)) or (f"{action}: nobody",)


# --- never shut ourselves out ----------------------------------------------------------------------------------------


def _obstacle(seen: Listed, wanted: Listed) -> str | None:
    if seen.cannot:
        return seen.cannot
    if seen.on_trial:
        return "a filter is on trial there already: wait until it is confirmed or over, and make a new plan"
    if seen.besides:
        return f"it has rules that a list cannot stand beside; remove them there first: {'; '.join(seen.besides)}"
    return _shuts_us_out(wanted, seen.seen_from)


def _shuts_us_out(goal: Listed, seen_from: str | None) -> str | None:
    """Why this may not be sent, `None` where it lets us in."""
    if goal.mode == "off":
        return None
    ours = goal.stated or ((seen_from,) if seen_from else ())
    if not ours:
        return (
            "we do not come to it straight, so nobody knows which address the camera sees: write the jump host's as "
            "`seen_from`"
        )
    outside = [address for address in ours if _holds(goal.addresses, address) is not (goal.mode == "allow")]
    return f"it would shut us out: we come from {', '.join(outside)}" if outside else None


async def _tell(driver: Driver, goal: Listed, _password_for: PasswordFor) -> None:
    """Looked at again over this connection: whoever carries a plan out need not be who made it."""
    trial = await driver.filter_trial()
    if why := _shuts_us_out(goal, trial.seen_from):
        raise WouldCutUsOff(why)
    await driver.try_ip_filter(IpFilter(goal.mode, goal.addresses), back_after_s=TRIAL_S)


async def _keep(driver: Driver) -> None:
    await driver.keep_ip_filter()


def _back(seen: Listed) -> Listed | None:
    return None if seen.mode is None or seen.on_trial or seen.cannot else seen


# --- addresses -------------------------------------------------------------------------------------------------------


def _networks(text: str) -> list[IPv4Network | IPv6Network]:
    """Of an address, a network, or `first-last`; none where it is something else."""
    first, dash, last = text.partition("-")
    try:
        if dash:
            return list(summarize_address_range(ip_address(first.strip()), ip_address(last.strip())))
        return [ip_network(text, strict=False)]
    except (ValueError, TypeError):
        return []


def _holds(addresses: Sequence[str], address: str) -> bool:
    here = ip_address(address)
    return any(here in network for text in addresses for network in _networks(text))


def _known(addresses: Sequence[str]) -> tuple[str, ...]:
    """One spelling for each, in their order."""
    spelled = (_plain(found[0]) if len(found := _networks(text)) == 1 else text for text in addresses)
    return tuple(sorted(set(spelled)))


def _plain(network: IPv4Network | IPv6Network) -> str:
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


SETTING = Setting(
    name="ip-allow-list",
    title="Only listed addresses come in",
    parameters=AllowList,
    observe=_observe,
    wanted=_wanted,
    state=_state,
    judge=_judge,
    tell=_tell,
    words=_words,
    shape=Listed,
    back=_back,
    obstacle=_obstacle,
    trial=Trial(runs=lambda seen, wanted: seen.on_trial and _is_same(seen, wanted), keep=_keep),
    risk=Risk.MAY_CUT_CONNECTION,
)
