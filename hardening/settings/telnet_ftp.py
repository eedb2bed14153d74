"""Telnet and FTP are off: both send the password in the clear, and malware that lives on cameras comes in by Telnet."""

from hardening.settings._switches import switched_off

SETTING = switched_off("telnet-ftp", "Telnet and FTP are off", ("telnet", "ftp"))
