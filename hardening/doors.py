"""Never saw off the branch we sit on: a door is closed only from another one that was proved. Pure."""

from dataclasses import replace
from types import MappingProxyType

from cameras.facts import NetworkServices
from cameras.place import Place
from hardening.model import Door

_OTHER: dict[Door, Door] = {"http": "https", "https": "http"}
_USUAL_PORT = MappingProxyType({"http": 80, "https": 443})


class WouldCutUsOff(Exception):
    """The change would leave us without a way to the camera. Nothing was sent. The text says what to do first."""


def way_in_without(door: Door, place: Place, services: NetworkServices) -> Place:
    """Where to speak to the camera when `door` is closed: to be proved by a login. Raises WouldCutUsOff."""
    return way_in_by(_OTHER[door], place, services)


def way_in_by(door: Door, place: Place, services: NetworkServices) -> Place:
    """This door of the camera: where we stand, if it is that one, else where the camera says that it is."""
    if place.scheme == door:
        return place
    here = [service for service in services.services if service.name.lower() == door and service.enabled]
    if not here:
        raise WouldCutUsOff(f"{door.upper()} is not on, so there would be no way in; switch it on first")
    port = next((port for service in here for port in service.ports), _USUAL_PORT[door])
    return replace(place, port=port, scheme=door)
