"""What `https` and `http` share: one of the services that a camera lists with its ports."""

from dataclasses import dataclass
from typing import Literal, cast

from cameras.driver import Driver
from cameras.facts import NetworkServices
from hardening.model import Compared, Door, PasswordFor, Risk, Setting, drift, in_order, unknown


@dataclass(frozen=True, slots=True)
class ServiceState:
    """`listed` is False where the camera does not name this service at all. `ports` is what it listens on."""

    name: Literal["HTTP", "HTTPS"]
    listed: bool
    enabled: bool | None
    ports: tuple[int, ...]


def door(name: str, title: str, parameters: object) -> Setting[NetworkServices, ServiceState]:
    """A setting of the service with this name: both are doors that we ourselves may be standing in."""
    service: Literal["HTTP", "HTTPS"] = "HTTPS" if name == "https" else "HTTP"
    here = cast("Door", name)
    return Setting(
        name=name,
        title=title,
        parameters=parameters,
        observe=observe,
        wanted=lambda on: wanted(service, enabled=on),
        state=state,
        judge=judge,
        tell=tell,
        words=words,
        shape=ServiceState,
        back=back,
        closes=lambda wanted: None if wanted.enabled else here,
        opens=lambda wanted: here if wanted.enabled and here == "https" else None,  # nobody need come in by HTTP
        risk=Risk.MAY_CUT_CONNECTION,
    )


def wanted(name: Literal["HTTP", "HTTPS"], *, enabled: bool) -> ServiceState:
    return ServiceState(name, listed=True, enabled=enabled, ports=())


async def observe(driver: Driver) -> NetworkServices:
    return await driver.network_services()


def state(fact: NetworkServices, wanted: ServiceState) -> ServiceState:
    for service in fact.services:
        if service.name.upper() == wanted.name:
            return ServiceState(wanted.name, listed=True, enabled=service.enabled, ports=service.ports)
    return ServiceState(wanted.name, listed=False, enabled=False, ports=())


def judge(seen: ServiceState, wanted: ServiceState) -> Compared:
    if seen.enabled is None:
        return unknown(f"the camera lists {seen.name} and does not say whether it is on")
    if seen.enabled == wanted.enabled:
        return in_order(f"{seen.name} is {_word(seen.enabled)}" if seen.listed else f"there is no {seen.name}")
    return drift(f"{seen.name} is {_word(seen.enabled)}" if seen.listed else f"the camera lists no {seen.name}")


async def tell(driver: Driver, wanted: ServiceState, _password_for: PasswordFor) -> None:
    await driver.set_network_service(wanted.name, enabled=bool(wanted.enabled))


def words(state: ServiceState) -> tuple[str, ...]:
    return (f"{state.name.lower()}: {'not said' if state.enabled is None else _word(state.enabled)}",)


def back(seen: ServiceState) -> ServiceState | None:
    return None if seen.enabled is None or not seen.listed else seen


def _word(on: bool) -> str:  # noqa: FBT001 - one word for one value
    return "on" if on else "off"
