"""HTTPS is on, so that the password and the picture can travel where nobody reads along."""

from typing import Literal

from hardening.model import Door, Risk, Setting
from hardening.settings import _network_service as service


def _closes(state: service.ServiceState) -> Door | None:
    return None if state.enabled else "https"


SETTING = Setting(
    name="https",
    title="HTTPS is on",
    parameters=Literal[True],
    observe=service.observe,
    wanted=lambda _parameters: service.wanted("HTTPS", enabled=True),
    state=service.state,
    judge=service.judge,
    tell=service.tell,
    words=service.words,
    shape=service.ServiceState,
    back=service.back,
    closes=_closes,
    risk=Risk.MAY_CUT_CONNECTION,
)
