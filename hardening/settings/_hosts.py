"""A server as a baseline may name it: an address, or a host name that a camera resolves."""

import re
from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator

_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_MOST = 253


def _host(text: str) -> str:
    """Raises ValueError, which pydantic turns into its own."""
    try:
        return str(ip_address(text))
    except ValueError:
        if len(text) > _MOST or not all(_LABEL.fullmatch(label) for label in text.split(".")):
            raise ValueError("write an address such as 10.0.0.1, or a host name such as ntp.example") from None
        if text.replace(".", "").isdigit():  # a mistyped address is not a name
            raise ValueError("this is no address: write four numbers from 0 to 255, such as 10.0.0.1") from None
        return text.lower()


Host = Annotated[str, AfterValidator(_host)]
