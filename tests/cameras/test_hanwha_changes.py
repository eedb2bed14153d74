"""What a Hanwha camera is told, and that only its own words count as done."""

import base64
from collections.abc import Awaitable, Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import padding

from cameras.drivers.hanwha import HanwhaDriver
from cameras.errors import DeviceError, Garbled, LockedOut, Refused, Unreachable, Unsupported
from cameras.secret import Credential, Secret
from tests.cameras.saying import http
from tests.cameras.saying_sunapi import (
    BUSY,
    COLUMNS,
    NO_SUBMENU,
    OK,
    Heard,
    asked,
    hanwha,
    key,
    ng,
    pairs,
    pem,
)

NEW = Secret("n3w-pässw & more")
EVE = Credential("eve", NEW)
USERS = pairs(
    COLUMNS,
    "Users.0=admin//True/True/True/True/True/True/True/True",
    "Users.1=joe//True/True/True/True/True/True/True/True",
    "Users.2=user2//False/False/False/False/False/False/False/False",
    "Users.3=ann//True/True/False/True/False/False/False/False",
)
FULL = pairs(COLUMNS, "Users.0=admin//True/True/True/True/True/True/True/True")
OLDER = pairs(
    '"Users.Index=UserID/Password/Enable/VideoProfileAccess/AudioInAccess/ImageSettingAccess"',
    "Users.0=admin//True/True/True/True",
    "Users.1=user1//False/False/False/False",
)
KEY = pairs(f"PublicKey={pem().strip()}")
MANDATORY = http(
    '<?xml version="1.0"?><capabilities><attributes><group name="Security"><category name="Support">'
    '<attribute name="CurrentPasswordVerification" type="enum" value="Mandatory"/></category></group></attributes>'
    "</capabilities>"
)
BOTH, HTTP_ONLY = pairs("Policy=HTTPandHTTPSPublic"), pairs("Policy=HTTP")
PORTS = pairs("HTTPPort=80", "HTTPSPort=443")
Told = Callable[[HanwhaDriver], Awaitable[None]]


def sealed(request: bytes) -> str:
    return key().decrypt(base64.b64decode(request.partition(b"\r\n\r\n")[2]), padding.PKCS1v15()).decode()


RIGHTS = {
    "VideoProfileAccess": "True",
    "PTZAccess": "True",
    "AudioInAccess": "True",
    "AudioOutAccess": "True",
    "AlarmOutputAccess": "True",
    "AdminAccess": "False",
    "PrivacyAreaAccess": "False",
}
VIEW: dict[str, str] = {}
CHANGES: dict[str, tuple[Told, tuple[bytes, ...], tuple[Heard, ...]]] = {
    "time servers": (
        lambda d: d.set_clock_source(servers=["10.0.0.1", "ntp.lan"], from_dhcp=False),
        (OK,),
        (("system/date/set", {"SyncType": "NTP", "NTPURLList": "10.0.0.1,ntp.lan"}),),
    ),
    "UPnP off": (
        lambda d: d.set_switch("upnp", on=False),
        (pairs("Enable=True"), OK),
        (("network/upnpdiscovery/view", VIEW), ("network/upnpdiscovery/set", {"Enable": "False"})),
    ),
    "Bonjour on": (
        lambda d: d.set_switch("bonjour", on=True),
        (pairs("Enable=False"), http('{"Response": "Success"}')),
        (("network/bonjour/view", VIEW), ("network/bonjour/set", {"Enable": "True"})),
    ),
    "SNMP without passwords off": (
        lambda d: d.set_switch("snmp-v1-v2c", on=False),
        (pairs("Version1=True", "Version2=True", "Version3=True"), OK),
        (("network/snmp/view", VIEW), ("network/snmp/set", {"Version1": "False", "Version2": "False"})),
    ),
    "no strangers": (
        lambda d: d.set_anonymous_viewer(allowed=False),
        (OK, OK),
        (("security/guest/set", {"Enable": "False"}), ("security/rtsp/set", {"RTSPAuthentication": "Protected"})),
    ),
    "HTTP off, with the certificate that was installed": (
        lambda d: d.set_network_service("HTTP", enabled=False),
        (BOTH, OK),
        (("security/ssl/view", VIEW), ("security/ssl/set", {"Policy": "HTTPSPublic"})),
    ),
    "HTTPS on, with its own certificate": (
        lambda d: d.set_network_service("HTTPS", enabled=True),
        (HTTP_ONLY, OK),
        (("security/ssl/view", VIEW), ("security/ssl/set", {"Policy": "HTTPandHTTPSProprietary"})),
    ),
    "an account, in the first free slot": (
        lambda d: d.create_account(EVE, "Operator"),
        (USERS, KEY, OK),
        (
            ("security/users/view", VIEW),
            ("security/rsa/view", VIEW),
            (
                "security/users/update",
                {"Index": "2", "UserID": "eve", "Enable": "True", **RIGHTS, "IsPasswordEncrypted": "True"},
            ),
        ),
    ),
    "another password": (
        lambda d: d.set_password("ann", NEW),
        (USERS, KEY, OK),
        (
            ("security/users/view", VIEW),
            ("security/rsa/view", VIEW),
            ("security/users/update", {"Index": "3", "UserID": "ann", "IsPasswordEncrypted": "True"}),
        ),
    ),
    "an account less": (
        lambda d: d.remove_account("ann"),
        (USERS, OK),
        (("security/users/view", VIEW), ("security/users/remove", {"Index": "3"})),
    ),
    "an account less, on firmware that only switches them off": (
        lambda d: d.remove_account("ann"),
        (USERS, ng(601, "Action Not Found"), KEY, OK),
        (
            ("security/users/view", VIEW),
            ("security/users/remove", {"Index": "3"}),
            ("security/rsa/view", VIEW),
            (
                "security/users/update",
                {"Index": "3", "UserID": "ann", "Enable": "False", "IsPasswordEncrypted": "True"},
            ),
        ),
    ),
    "a restart": (lambda d: d.reboot(), (OK,), (("system/power/control", {"Type": "Reboot"}),)),
    "a restart, though it was busy": (
        lambda d: d.reboot(),
        (BUSY, OK),
        (("system/power/control", {"Type": "Reboot"}),) * 2,
    ),
    "an application off": (
        lambda d: d.stop_app("ANPR"),
        (OK,),
        (("opensdk/apps/control", {"AppID": "ANPR", "Mode": "Stop"}),),
    ),
    "an application on": (
        lambda d: d.start_app("ANPR"),
        (OK,),
        (("opensdk/apps/control", {"AppID": "ANPR", "Mode": "Start"}),),
    ),
    "an application less": (lambda d: d.remove_app("A&B"), (OK,), (("opensdk/apps/remove", {"AppID": "A&B"}),)),
    "a configuration": (lambda d: d.restore(b"\x00\x01\xff"), (OK,), (("system/configrestore/control", VIEW),)),
}


@pytest.mark.parametrize(("tell", "replies", "expected"), CHANGES.values(), ids=CHANGES)
async def test_tells(tell: Told, replies: tuple[bytes, ...], expected: tuple[Heard, ...]) -> None:
    async with hanwha(*replies) as (driver, camera):
        await tell(driver)
        assert tuple(map(asked, camera.heard)) == expected
        assert not any(b"n3w" in request for request in camera.heard)


async def test_a_password_travels_encrypted_in_the_body() -> None:
    async with hanwha(USERS, KEY, OK) as (driver, camera):
        await driver.set_password("ann", NEW)
        assert sealed(camera.heard[-1]) == NEW.reveal()


async def test_our_own_present_password_is_not_given_by_plain_http() -> None:
    async with hanwha(USERS, MANDATORY, KEY, OK) as (driver, camera):
        with pytest.raises(Refused, match="https address"):
            await driver.set_password("joe", NEW)
        assert len(camera.heard) == 2


async def test_a_configuration_travels_in_base64() -> None:
    async with hanwha(OK) as (driver, camera):
        await driver.restore(b"\x00\x01\xff")
        assert camera.heard[0].endswith(b"\r\n\r\nAAH/")
        assert b"Content-Type: application/x-www-form-urlencoded\r\n" in camera.heard[0]


REFUSED: dict[str, tuple[Told, tuple[bytes, ...], type[DeviceError], int]] = {
    "HTTP off where HTTPS is": (
        lambda d: d.set_network_service("HTTP", enabled=False),
        (HTTP_ONLY,),
        Refused,
        1,
    ),
    "an account that is there": (
        lambda d: d.create_account(Credential("ann", NEW), "User"),
        (USERS,),
        Refused,
        1,
    ),
    "an account where no place is free": (lambda d: d.create_account(EVE, "User"), (FULL,), Refused, 1),
    "an administrator on firmware that has one": (
        lambda d: d.create_account(EVE, "Administrator"),
        (OLDER,),
        Unsupported,
        1,
    ),
    "a password of nobody": (lambda d: d.set_password("eve", NEW), (USERS,), Refused, 1),
    "a password of a place that is free": (lambda d: d.set_password("user2", NEW), (USERS,), Refused, 1),
    "our own account less": (lambda d: d.remove_account("joe"), (USERS,), Refused, 0),
    "the camera's own account less": (lambda d: d.remove_account("admin"), (USERS,), Refused, 1),
    "a password in the address, without HTTPS": (
        lambda d: d.set_password("ann", NEW),
        (USERS, NO_SUBMENU, PORTS, HTTP_ONLY),
        Refused,
        4,
    ),
    "a password that it does not take": (
        lambda d: d.set_password("ann", NEW),
        (USERS, KEY, ng(602, "Invalid Parameter(s)")),
        Refused,
        3,
    ),
    "a password for a key that is none": (
        lambda d: d.set_password("ann", NEW),
        (USERS, pairs("PublicKey=-----BEGIN RSA PUBLIC KEY----- AAAA -----END RSA PUBLIC KEY-----")),
        Garbled,
        2,
    ),
    "a password for a key in JSON that is cut short": (
        lambda d: d.set_password("ann", NEW),
        (USERS, http('{"PublicKey": "-----BEGIN RSA')),
        Garbled,
        2,
    ),
    "a password for a key in JSON that is no text": (
        lambda d: d.set_password("ann", NEW),
        (USERS, http('{"PublicKey": [1]}')),
        Garbled,
        2,
    ),
    "a password for no key": (lambda d: d.set_password("ann", NEW), (USERS, pairs("Key=1")), Garbled, 2),
    "a password that is longer than its key": (
        lambda d: d.set_password("ann", Secret("x" * 300)),
        (USERS, KEY),
        Refused,
        2,
    ),
    "SNMP that it has not": (
        lambda d: d.set_switch("snmp-v1-v2c", on=False),
        (pairs("Version3=True"),),
        Unsupported,
        1,
    ),
    "time by DHCP, without ONVIF": (
        lambda d: d.set_clock_source(servers=(), from_dhcp=True),
        (OK,),
        Unsupported,
        0,
    ),
    "no time server, without ONVIF": (
        lambda d: d.set_clock_source(servers=(), from_dhcp=False),
        (OK,),
        Unsupported,
        0,
    ),
    "a change while it is blocked": (lambda d: d.reboot(), (http("Account Blocked", "490 "),), LockedOut, 1),
    "a restart that cuts the answer off": (lambda d: d.reboot(), (b"",), Unreachable, 1),
    "a configuration for another model": (lambda d: d.restore(b"x"), (ng(604, "Invalid File"),), Refused, 1),
    "a configuration, cut off": (lambda d: d.restore(b"x"), (b"",), Unreachable, 1),
}


@pytest.mark.parametrize(("tell", "replies", "error", "asked_for"), REFUSED.values(), ids=REFUSED)
async def test_what_was_not_done_is_an_error(
    tell: Told, replies: tuple[bytes, ...], error: type[DeviceError], asked_for: int
) -> None:
    async with hanwha(*replies) as (driver, camera):
        with pytest.raises(error) as raised:
            await tell(driver)
        assert len(camera.heard) == asked_for
        assert "n3w" not in str(raised.value)
