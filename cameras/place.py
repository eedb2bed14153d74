"""Where a camera is spoken to."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Place:
    """One camera's door. `shared` says that other cameras stand behind the same address, on other ports."""

    address: str
    port: int
    scheme: Literal["http", "https"]
    shared: bool = False

    @property
    def key(self) -> str:
        """What login attempts and leases are counted against: the address, with the port where it is shared."""
        return f"{self.address}:{self.port}" if self.shared else self.address
