"""UPnP and Bonjour are off: the first can open the router to the internet, and both tell every neighbour."""

from hardening.settings._switches import switched_off

SETTING = switched_off("upnp-bonjour", "UPnP and Bonjour are off", ("upnp", "bonjour"))
