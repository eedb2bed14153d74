"""SNMP before version 3 is off: its community string is a password that travels in the clear."""

from hardening.settings._switches import switched_off

SETTING = switched_off("snmp-v1-v2c", "SNMP v1 and v2c are off", ("snmp-v1-v2c",))
