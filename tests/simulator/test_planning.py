"""From a seed to an estate: what the same options always give, and what cannot be had."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from simulator import Options, OptionsError, plan_estate
from simulator.faults import FAULTS
from simulator.manifest import manifest
from simulator.options import from_words
from simulator.plan import EstatePlan
from simulator.planning import BLOCK, DECOYS, FIRST_BLOCK

MANY = Options(cameras=200, seed=3, decoys=12)


def planned(options: Options, *, one_address: bool = False) -> EstatePlan:
    return plan_estate(options, one_address=one_address, low_ports=True)


@pytest.mark.parametrize("one_address", [False, True], ids=["own addresses", "one address"])
def test_the_same_seed_gives_the_same_estate_and_truth(one_address: bool) -> None:
    first, second = (planned(MANY, one_address=one_address) for _ in range(2))
    assert first == second
    assert manifest(first) == manifest(second)


def test_another_seed_gives_another_estate() -> None:
    assert planned(MANY).cameras != planned(replace(MANY, seed=4)).cameras


def test_the_believable_mix_has_clean_cameras_and_none_with_more_than_five_faults() -> None:
    counts = Counter(len(camera.faults) for camera in planned(MANY).cameras)
    assert counts[0] > 0
    assert counts[5] > 0
    assert max(counts) == 5


@pytest.mark.parametrize("one_address", [False, True], ids=["own addresses", "one address"])
def test_no_two_cameras_share_a_door_a_name_or_an_identity(one_address: bool) -> None:
    cameras = planned(replace(MANY, faults={}), one_address=one_address).cameras
    for same in ("serial", "mac", "epr"):
        assert len({getattr(camera, same) for camera in cameras}) == len(cameras)
    doors = {(c.address, port) for c in cameras for port in (c.http_port, c.https_port, c.rtsp_port)}
    assert len(doors) == 3 * len(cameras)


def test_families_come_in_the_shares_asked_for() -> None:
    families = Counter(camera.vendor for camera in planned(replace(MANY, mix={"axis": 3, "onvif": 1})).cameras)
    assert families == {"axis": 150, "onvif": 50}


def test_a_fault_comes_as_often_as_asked_for_and_alone_where_there_is_room() -> None:
    cameras = planned(Options(cameras=10, faults={"telnet-open": 3, "clock-skew": 4})).cameras
    assert Counter(fault for camera in cameras for fault in camera.faults) == {"telnet-open": 3, "clock-skew": 4}
    assert max(len(camera.faults) for camera in cameras) == 1


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_can_be_asked_for(name: str) -> None:
    cameras = planned(Options(cameras=10, faults={name: 1})).cameras
    assert [camera.faults for camera in cameras if camera.faults] == [(name,)]


def test_every_kind_of_decoy_comes_in_turn() -> None:
    assert [decoy.kind for decoy in planned(MANY).decoys] == [*DECOYS, *DECOYS]


def test_one_address_gives_each_camera_a_block_of_ports() -> None:
    cameras = planned(Options(cameras=3, faults={}), one_address=True).cameras
    assert [(c.address, c.http_port) for c in cameras] == [("127.0.0.1", FIRST_BLOCK + n * BLOCK) for n in range(3)]
    assert len({c.login for c in cameras}) == 1, "a credentials file knows addresses, not ports"


IMPOSSIBLE: dict[str, tuple[Options, bool, str]] = {
    "an unknown fault": (Options(faults={"sulking": 1}), False, "sulking"),
    "an unknown family": (Options(mix={"kodak": 1}), False, "kodak"),
    "no share for anybody": (Options(mix={"axis": 0}), False, "--mix"),
    "more faults than cameras": (Options(cameras=2, faults={"slow": 3}), False, "slow=3"),
    "a fault no family here can have": (
        Options(mix={"onvif": 1}, faults={"default-credentials": 1}),
        False,
        "default-credentials=1",
    ),
    "an own login on a shared address": (Options(faults={"no-login": 1}), True, "one address per camera"),
    "a port that means nothing there": (Options(faults={"telnet-open": 1}), True, "one address per camera"),
    "more than the address range holds": (Options(base="127.255.255.250", cameras=6), False, "no room"),
    "more than the ports of one address": (Options(cameras=5000), True, "room for"),
}


@pytest.mark.parametrize(("options", "one_address", "said"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_says_what_cannot_be_had(options: Options, one_address: bool, said: str) -> None:
    with pytest.raises(OptionsError, match=said):
        planned(options, one_address=one_address)


WORDS: dict[str, tuple[list[str], Mapping[str, object]]] = {
    "nothing": ([], {"cameras": 24, "seed": 1, "faults": None}),
    "faults": (["--fault", "slow=2", "--fault", "locked=1"], {"faults": {"slow": 2, "locked": 1}}),
    "clean": (["--clean"], {"faults": {}}),
    "mix": (["--mix", "axis=6,onvif=1"], {"mix": {"axis": 6, "onvif": 1}}),
    "files": (["--manifest", "m.json"], {"manifest": Path("m.json"), "stats": None}),
    "ports": (["--high-ports", "--one-address"], {"low_ports": False, "one_address": True}),
}


@pytest.mark.parametrize(("words", "fields"), WORDS.values(), ids=WORDS)
def test_reads_the_command_line(words: list[str], fields: Mapping[str, object]) -> None:
    options = from_words(words)
    assert {name: getattr(options, name) for name in fields} == fields


@pytest.mark.parametrize(
    "words",
    [
        ["--fault", "slow"],
        ["--mix", "axis=many"],
        ["--base", "10.0.0.1"],
        ["--base", "here"],
        ["--clean", "--fault", "slow=1"],
    ],
    ids=" ".join,
)
def test_refuses_a_command_line_it_cannot_mean(words: list[str]) -> None:
    with pytest.raises(OptionsError):
        from_words(words)
