"""From a seed to an estate: pure, so that the same options give the same cameras, faults and passwords for ever."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from random import Random
from uuid import UUID

from simulator.faults import ALLOW_UNSIGNED, FAULTS, fits, give
from simulator.options import ONE_ADDRESS, Options, OptionsError
from simulator.pictures import with_pictures
from simulator.plan import Account, CameraPlan, DecoyPlan, EstatePlan, Login
from simulator.vendors import VENDORS, Vendor

ACCOUNT = "camwarden"
LOW_PORTS, HIGH_PORTS = (80, 443, 554), (8080, 8443, 8554)
FIRST_BLOCK, BLOCK, LAST_BLOCK = 20_000, 4, 32_768 - 4
"""Port blocks on the one address end below the ports that systems hand out to clients."""

HOW_MANY_FAULTS = (15, 22, 25, 20, 12, 6)
"""Weights for no fault, one fault, … five faults."""

DECOYS = {
    "yes-to-everything": "not-a-camera",
    "router": "not-a-camera",
    "printer": "not-a-camera",
    "silent": "unreachable",
    "garbled": "garbled",
    "rtsp-only": "not-a-camera",
}
"""What else answers in a network, and why it must not be judged."""

PLACES = ("entrance", "loading-dock", "car-park", "corridor", "server-room", "lobby", "fence-north", "till", "stairs")


@dataclass(frozen=True, slots=True)
class _Place:
    address: str
    ports: tuple[int, int, int]


def plan_estate(options: Options, *, one_address: bool, low_ports: bool) -> EstatePlan:
    """What this estate holds. Raises OptionsError for what cannot be had."""
    _refuse_unknown(options)
    rng = Random(options.seed)  # noqa: S311 - reproducible on purpose
    places = _places(options, one_address=one_address, low_ports=low_ports)
    shared_login = Login(ACCOUNT, _password(rng)) if one_address or options.one_login else None
    families = _families(options, rng)
    cameras = [_clean_camera(number, family, next(places), shared_login, rng) for number, family in enumerate(families)]
    if options.faults is None:
        cameras = [_believable(camera, rng, shared_address=one_address) for camera in cameras]
    else:
        cameras = _as_asked(cameras, options, rng, shared_address=one_address)
    cameras = [replace(camera, reboot_s=options.reboot_s, minute_s=options.minute_s) for camera in cameras]
    cameras = with_pictures(cameras, options)
    decoys = [_decoy(number, next(places)) for number in range(options.decoys)]
    return EstatePlan(options.seed, not one_address, tuple(cameras), tuple(decoys))


def _refuse_unknown(options: Options) -> None:
    for what, given, known in (("fault", options.faults or {}, FAULTS), ("family", options.mix, VENDORS)):
        for name in given:
            if name not in known:
                raise OptionsError(f"no {what} is called {name!r}; there are: {', '.join(sorted(known))}")
    if options.cameras and not any(options.mix.values()):
        raise OptionsError("--mix gives no family a share")


def _places(options: Options, *, one_address: bool, low_ports: bool) -> Iterator[_Place]:
    wanted = options.cameras + options.decoys
    if one_address:
        if FIRST_BLOCK + wanted * BLOCK > LAST_BLOCK:
            raise OptionsError(f"one address has room for {(LAST_BLOCK - FIRST_BLOCK) // BLOCK} cameras and decoys")
        return (_Place(ONE_ADDRESS, (port, port + 1, port + 2)) for port in count(FIRST_BLOCK, BLOCK))
    first = ipaddress.IPv4Address(options.base)
    if not (first + wanted).is_loopback:
        raise OptionsError(f"from {first} on there is no room for {wanted} addresses in 127.0.0.0/8")
    return (_Place(str(first + n), LOW_PORTS if low_ports else HIGH_PORTS) for n in count())


def _families(options: Options, rng: Random) -> list[str]:
    """Shares are kept as exactly as whole cameras allow; the order is shuffled."""
    whole = sum(options.mix.values())
    ranked = sorted(
        ((place / share, family) for family, share in options.mix.items() for place in range(1, share + 1)),
    )
    families = [ranked[n % whole][1] for n in range(options.cameras)]
    rng.shuffle(families)
    return families


def _clean_camera(number: int, family: str, place: _Place, shared_login: Login | None, rng: Random) -> CameraPlan:
    vendor = VENDORS[family]
    model = rng.choice(vendor.models)
    http_port, https_port, rtsp_port = place.ports
    tail = rng.getrandbits(24).to_bytes(3, "big")
    mac = f"{vendor.oui}:{tail.hex(':')}"
    login = shared_login or Login(ACCOUNT, _password(rng))
    spot = rng.choice(PLACES)
    return CameraPlan(
        address=place.address,
        vendor=family,
        model=model.name,
        firmware=model.newest,
        serial=_serial(family, model.name, mac, number),
        mac=mac,
        name=f"{vendor.manufacturer} {model.name}",
        location=f"site-{number // 50 + 1}/{spot}",
        epr=f"urn:uuid:{UUID(int=rng.getrandbits(128), version=4)}",
        http_port=http_port,
        https_port=https_port,
        rtsp_port=rtsp_port,
        auth=rng.choice(vendor.auths),
        accounts=_accounts(vendor, login, rng),
        login=login,
        lock_after=vendor.lock_after,
        wsse_window_s=rng.choice((5, 15, 30, 60)),
        clock_offset_s=0,
        clock_source="NTP",
        ntp_from_dhcp=rng.random() < 0.3,  # noqa: PLR2004 - a share, not a limit
        ntp_servers=(rng.choice(("192.0.2.123", "ntp.example.org")),),
        discoverable=False,
        setup_done=True,
        certificate="good",
        basic_on_http=False,
        redirects_to_https=True,
        media=vendor.media,
        anonymous=frozenset(),
        extra_ports=(),
        odd_replies=(),
        faults=(),
        quirks=frozenset(),
        usual_ports=place.ports,
        parameters=_set_up(family, model.newest),
    )


def _set_up(family: str, firmware: str) -> tuple[tuple[str, str], ...]:
    """What whoever set it up has switched: AXIS OS 11 takes unsigned applications as it is delivered."""
    return ((ALLOW_UNSIGNED, "false"),) if family == "axis" and firmware.startswith("11.") else ()


def _accounts(vendor: Vendor, login: Login, rng: Random) -> tuple[Account, ...]:
    return (
        Account(vendor.admin, _password(rng), "Administrator"),
        Account(login.name, login.password, "Administrator"),
        Account("viewer", _password(rng), "User"),
    )


def _password(rng: Random) -> str:
    return "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789-_", k=16))


def _serial(family: str, model: str, mac: str, number: int) -> str:
    plain = mac.replace(":", "").upper()
    return {
        "axis": plain,
        "hikvision": f"{model}20220112AAWRJ{int(plain[-6:], 16) % 10**8:08d}",
        "dahua": f"6L0{plain[-6:]}PAG{number:05d}",
        "hanwha": f"ZNZ870GR{plain[-6:]}{number:04d}",
    }.get(family, f"NL{plain[-6:]}{number:05d}")


def _believable(camera: CameraPlan, rng: Random, *, shared_address: bool) -> CameraPlan:
    for _ in range(rng.choices(range(len(HOW_MANY_FAULTS)), weights=HOW_MANY_FAULTS)[0]):
        possible = [n for n, f in FAULTS.items() if f.weight and fits(n, camera, shared_address=shared_address)]
        name = rng.choices(possible, weights=[FAULTS[n].weight for n in possible])[0]
        camera = give(name, camera, rng)
    return camera


def _as_asked(cameras: list[CameraPlan], options: Options, rng: Random, *, shared_address: bool) -> list[CameraPlan]:
    """Each fault to as many cameras as asked for, those with the fewest faults first."""
    cameras = list(cameras)
    for name, wanted in (options.faults or {}).items():
        order = sorted(range(len(cameras)), key=lambda n: (len(cameras[n].faults), rng.random()))
        fitting = [n for n in order if fits(name, cameras[n], shared_address=shared_address)]
        if len(fitting) < wanted:
            why = " (it needs one address per camera)" if shared_address and FAULTS[name].own_address else ""
            raise OptionsError(f"--fault {name}={wanted}: only {len(fitting)} of these cameras can have it{why}")
        for n in fitting[:wanted]:
            cameras[n] = give(name, cameras[n], rng)
    return cameras


def _decoy(number: int, place: _Place) -> DecoyPlan:
    kind = list(DECOYS)[number % len(DECOYS)]
    port = place.ports[2] if kind == "rtsp-only" else place.ports[0]
    return DecoyPlan(place.address, port, kind, DECOYS[kind])
