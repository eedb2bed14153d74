"""An assessment equals the truth exactly: no miss, no false alarm, nothing left out, nobody locked out."""

from pathlib import Path

import pytest

from scanners.assessment import CameraAssessment, NotEvaluated, Options, assess
from scanners.credentials import load_credentials
from scanners.targets import parse_targets
from simulator.faults import FAULTS
from tests.assessment.estate import RunningEstate, expected_rows, explained, running_estate

ESTATES = {
    "a believable estate": ["--cameras", "200", "--decoys", "12", "--seed", "1", "--base", "127.41.0.1"],
    "another": ["--cameras", "200", "--decoys", "12", "--seed", "2", "--base", "127.42.0.1"],
    "a third": ["--cameras", "200", "--decoys", "12", "--seed", "3", "--base", "127.43.0.1"],
    "one without a fault": ["--cameras", "60", "--clean", "--seed", "4", "--base", "127.44.0.1"],
    "one behind a single address": ["--cameras", "20", "--seed", "5", "--one-address"],
    "one on high ports": ["--cameras", "40", "--seed", "6", "--high-ports", "--base", "127.45.0.1"],
    "every fault four times": [
        *("--cameras", "240", "--decoys", "6", "--seed", "7", "--base", "127.46.0.1"),
        *(word for fault in FAULTS for word in ("--fault", f"{fault}=4")),
    ],
}


async def results_of(estate: RunningEstate) -> tuple[dict[tuple[str, int], CameraAssessment], dict[str, NotEvaluated]]:
    targets = parse_targets(target_words(estate))
    cameras, others = {}, {}
    options = Options(credentials=load_credentials(estate.credentials), request_timeout_s=5)
    async for result in assess(targets, options):
        if isinstance(result, NotEvaluated):
            others[result.address] = result
        else:
            cameras[result.dossier.address, result.dossier.port] = result
    return cameras, others


def target_words(estate: RunningEstate) -> list[str]:
    """Addresses, or whole URLs where many cameras share one."""
    entries = [*estate.manifest["cameras"], *estate.manifest["decoys"]]
    if len({entry["address"] for entry in entries}) == len(entries):
        return [entry["address"] for entry in entries]
    return [f"{entry['scheme']}://{entry['address']}:{entry['port']}/" for entry in estate.manifest["cameras"]]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("words", ESTATES.values(), ids=ESTATES)
async def test_equals_the_truth(words: list[str], tmp_path: Path) -> None:
    async with running_estate(tmp_path, *words) as estate:
        cameras, others = await results_of(estate)
    wanted = {(c["address"], c["port"]): c for c in estate.manifest["cameras"]}
    assert set(cameras) == set(wanted)
    found = {
        (f"{address}:{port}", verdict.check, verdict.subject, verdict.verdict.value)
        for (address, port), camera in cameras.items()
        for verdict in camera.verdicts
    }
    truth = expected_rows(estate.manifest)
    assert not explained(truth - found, estate.manifest)
    assert not explained(found - truth, estate.manifest)
    assert {a: o.reason for a, o in others.items()} == {
        d["address"]: d["expected_reason"] for d in estate.manifest["decoys"]
    }
    doors = estate.stats()["cameras"]
    assert not [door for door in doors if door["times_locked"]]
    assert max(sum(door["wrong_tries"].values()) for door in doors) <= 3
