"""The families: what their cameras say, offer and demand. The pairs are the vendors' own documented defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from simulator.plan import Auth


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    newest: str
    outdated: str


@dataclass(frozen=True, slots=True)
class Vendor:
    """`defaults` are documented account/password pairs; `admin` is the account a camera of this family always has.

    `lock_after` wrong tries in a row lock every door for half an hour; `locked_text` is what is said then.
    """

    manufacturer: str
    models: tuple[Model, ...]
    oui: str
    admin: str
    defaults: tuple[tuple[str, str], ...]
    login_path: str | None
    realm: str
    server: str
    prefix: str
    auths: tuple[Auth, ...]
    media: tuple[Literal["media", "media2"], ...]
    lock_after: int
    locked_text: str
    wrong_text: str
    rtsp_path: str
    snapshot_path: str


_LOCKED = "The device is locked because of entering wrong username/password many times.Please try it after 30 minutes!"
_WRONG = "Sender not Authorized"

VENDORS: Mapping[str, Vendor] = MappingProxyType(
    {
        "axis": Vendor(
            manufacturer="AXIS",
            models=(
                Model("P3265-V", "12.11.77", "10.12.130"),
                Model("M3106-L Mk II", "10.12.262", "9.80.3.11"),
                Model("P1375", "11.11.181", "11.9.53"),
            ),
            oui="b8:a4:4f",
            admin="root",
            defaults=(("root", "pass"),),
            login_path="/axis-cgi/usergroup.cgi",
            realm="AXIS_{mac}",
            server="Apache",
            prefix="SOAP-ENV",
            auths=("digest+wsse", "digest+wsse", "digest-md5"),
            media=("media", "media2"),
            lock_after=6,
            locked_text=_LOCKED,
            wrong_text=_WRONG,
            rtsp_path="/onvif-media/media.amp?profile=profile_{profile}_h264&sessiontimeout=60&streamtype=unicast",
            snapshot_path="/onvif-cgi/jpg/image.cgi?resolution={width}x{height}&compression=30",
        ),
        "hikvision": Vendor(
            manufacturer="HIKVISION",
            models=(
                Model("DS-2CD2143G2-I", "V5.7.3 build 220112", "V5.5.80 build 180911"),
                Model("DS-2CD2046G2-IU/SL", "V5.7.1 build 210628", "V5.5.160 build 201030"),
            ),
            oui="bc:ba:c2",
            admin="admin",
            defaults=(("admin", "12345"),),
            login_path="/ISAPI/Security/userCheck",
            realm="IP Camera({tail})",
            server="webserver",
            prefix="env",
            auths=("digest+wsse", "digest-md5", "digest+wsse", "digest-sha256"),
            media=("media", "media2"),
            lock_after=7,
            locked_text=_LOCKED,
            wrong_text=_WRONG,
            rtsp_path="/Streaming/Channels/10{profile}?transportmode=unicast&profile=Profile_{profile}",
            snapshot_path="/onvif-http/snapshot?Profile_{profile}",
        ),
        "dahua": Vendor(
            manufacturer="Dahua",
            models=(
                Model(
                    "IPC-HDW2831T-ZS",
                    "2.820.0000000.48.R, Build Date 2022-06-14",
                    "2.800.0000000.16.R, Build Date 2021-06-09",
                ),
                Model(
                    "IPC-HFW5442E-ZE",
                    "2.840.0000000.18.R, Build Date 2023-06-06",
                    "2.800.0000000.8.R, Build Date 2020-09-21",
                ),
            ),
            oui="3c:ef:8c",
            admin="admin",
            defaults=(("admin", "admin"), ("888888", "888888")),
            login_path="/cgi-bin/magicBox.cgi?action=getDeviceType",
            realm="Login to {tail}",
            server="Webs",
            prefix="s",
            auths=("digest+wsse", "wsse", "digest+wsse"),
            media=("media", "media2"),
            lock_after=5,
            locked_text=_LOCKED,
            wrong_text="Invalid username or password! You still have {left} attempt(s).",
            rtsp_path="/cam/realmonitor?channel=1&subtype={index}&unicast=true&proto=Onvif",
            snapshot_path="/onvifsnapshot/media_service/snapshot?channel=1&subtype={index}",
        ),
        "hanwha": Vendor(
            manufacturer="Hanwha Vision",
            models=(
                Model("QNO-6082R", "1.41.18_20231115_R455", "1.41.02_20210528_R351"),
                Model("XNV-8080R", "1.41.16_20221205_R420", "1.40.04_20200824_R312"),
            ),
            oui="00:09:18",
            admin="admin",
            defaults=(("admin", "4321"),),
            login_path="/stw-cgi/system.cgi?msubmenu=deviceinfo&action=view",
            realm="iPolis_{mac}",
            server="Lighttpd",
            prefix="SOAP-ENV",
            auths=("digest-md5", "digest+wsse", "digest-sha256"),
            media=("media", "media2"),
            lock_after=5,
            locked_text=_LOCKED,
            wrong_text=_WRONG,
            rtsp_path="/onvif/profile{profile}/media.smp",
            snapshot_path="/stw-cgi/video.cgi?msubmenu=snapshot&action=view&Profile={profile}",
        ),
        "onvif": Vendor(
            manufacturer="Northlight",
            models=(Model("NL-200", "4.2.1", "4.2.1"),),
            oui="02:4e:4c",
            admin="admin",
            defaults=(),
            login_path=None,
            realm="Northlight {tail}",
            server="nlhttpd/2.1",
            prefix="s",
            auths=("wsse", "digest-sha256", "wsse", "digest+wsse"),
            media=("media",),
            lock_after=4,
            locked_text="Maximum login attempts reached. Please try it after 30 minutes!",
            wrong_text=_WRONG,
            rtsp_path="/live/{index}",
            snapshot_path="/snapshot/{index}.jpg",
        ),
    }
)
