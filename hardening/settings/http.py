"""Plain HTTP is off. Sent only over HTTPS, after a login there has worked: see `hardening.doors`."""

from hardening.model import Door, Risk, Setting
from hardening.settings import _network_service as service


def _closes(state: service.ServiceState) -> Door | None:
    return None if state.enabled else "http"


SETTING = Setting(
    name="http",
    title="Plain HTTP is off",
    parameters=bool,
    observe=service.observe,
    wanted=lambda on: service.wanted("HTTP", enabled=on),
    state=service.state,
    judge=service.judge,
    tell=service.tell,
    words=service.words,
    shape=service.ServiceState,
    back=service.back,
    closes=_closes,
    risk=Risk.MAY_CUT_CONNECTION,
)
