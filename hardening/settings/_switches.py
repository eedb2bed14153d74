"""What the settings that only switch services off share."""

from collections.abc import Sequence
from typing import Literal, cast

from cameras.driver import Driver, SwitchName
from cameras.facts import Switch, Switches
from hardening.model import Compared, PasswordFor, Setting, drift, in_order, not_applicable, unknown


def switched_off(name: str, title: str, switches: Sequence[SwitchName]) -> Setting[Switches, Switches]:
    """A setting that wants these switches off, those of them that a camera has."""
    return Setting(
        name=name,
        title=title,
        parameters=Literal[False],
        observe=observe,
        wanted=lambda _parameters: Switches(tuple(Switch(switch, on=False) for switch in switches)),
        state=state,
        judge=judge,
        tell=tell,
        words=words,
        shape=Switches,
        back=back,
        half_way=half_way,
    )


async def observe(driver: Driver) -> Switches:
    return await driver.switches()


def state(fact: Switches, wanted: Switches) -> Switches:
    there = {switch.name: switch for switch in fact.switches}
    return Switches(tuple(there[switch.name] for switch in wanted.switches if switch.name in there))


def judge(seen: Switches, wanted: Switches) -> Compared:
    goal = {switch.name: switch.on for switch in wanted.switches}
    ours = [switch for switch in seen.switches if switch.name in goal]
    if not ours:
        return not_applicable(f"this camera has no switch for {_listed(goal)}")
    if wrong := [switch for switch in ours if switch.on is not None and switch.on != goal[switch.name]]:
        return drift("; ".join(words(Switches(tuple(wrong)))))
    if silent := [switch.name for switch in ours if switch.on is None]:
        return unknown(f"the camera does not say whether {_listed(silent)} is on")
    return in_order("; ".join(words(seen)))


async def tell(driver: Driver, wanted: Switches, _password_for: PasswordFor) -> None:
    """Only the switches that this camera has and that stand otherwise."""
    now = {switch.name: switch.on for switch in (await driver.switches()).switches}
    for switch in wanted.switches:
        if switch.name in now and now[switch.name] != switch.on:
            await driver.set_switch(cast("SwitchName", switch.name), on=bool(switch.on))


def words(state: Switches) -> tuple[str, ...]:
    return tuple(f"{switch.name}: {_WORDS[switch.on]}" for switch in state.switches)


def half_way(now: Switches, before: Switches, wanted: Switches) -> bool:
    """Switches go one by one: after a crash, some may be as they were and some as wanted."""
    allowed = {(switch.name, switch.on) for state in (before, wanted) for switch in state.switches}
    return all((switch.name, switch.on) in allowed for switch in now.switches)


def back(seen: Switches) -> Switches | None:
    """What was not said stays as it is now."""
    said = tuple(switch for switch in seen.switches if switch.on is not None)
    return Switches(said) if said else None


_WORDS = {True: "on", False: "off", None: "not said"}


def _listed(names: Sequence[str] | dict[str, bool | None]) -> str:
    return " or ".join(names)
