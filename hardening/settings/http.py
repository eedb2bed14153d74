"""Plain HTTP is off. Sent only over HTTPS, after a login there has worked: see `hardening.doors`."""

from hardening.settings._network_service import door

SETTING = door("http", "Plain HTTP is off", bool)
