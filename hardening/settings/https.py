"""HTTPS is on, so that the password and the picture can travel where nobody reads along."""

from typing import Literal

from hardening.settings._network_service import door

SETTING = door("https", "HTTPS is on", Literal[True])
ask_services = SETTING.observe
