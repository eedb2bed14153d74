"""`camwarden rejudge`: what a person types, and what is said to it."""

import asyncio
import json
from importlib.resources import files
from pathlib import Path

import scanners.knowledge
from fleet.findings import triage as findings
from fleet.settings import Settings
from fleet.store import open_store
from scanners.assessment import CameraAssessment
from scanners.evaluate import evaluate
from scanners.knowledge import load_knowledge
from scanners.score import score
from tests.cli.running import Command
from tests.web.console_estate import AXIS, healthy


async def _fill(home: Path) -> None:
    async with await open_store(Settings(home=home)) as store:
        verdicts = evaluate(healthy(1, AXIS), load_knowledge())
        await findings.record(store, CameraAssessment(healthy(1, AXIS), verdicts, score(verdicts)))


def test_a_newer_firmware_in_the_catalogue_opens_a_finding(command: Command, tmp_path: Path) -> None:
    asyncio.run(_fill(tmp_path / "home"))
    catalogue = tmp_path / "firmware.yaml"
    bundled = files(scanners.knowledge).joinpath("firmware.yaml").read_text()
    catalogue.write_text(bundled.replace(f'"{AXIS.firmware}"', '"13.0.1"'))
    assert "1 cameras judged again, 0 differently" in command("rejudge").out
    done = json.loads(command("rejudge", "--catalogue", str(catalogue), "--json").out)
    assert (done["cameras"], done["changed"], done["opened"]) == (1, 1, 1)
    assert "1 fixed" in command("rejudge").out


def test_without_a_store_or_with_a_broken_catalogue_it_says_so(command: Command, tmp_path: Path) -> None:
    end = command("rejudge")
    assert (end.code, "nothing is stored yet" in end.err) == (2, True)
    broken = tmp_path / "firmware.yaml"
    broken.write_text("format: other\n")
    end = command("rejudge", "--catalogue", str(broken))
    assert (end.code, "firmware.yaml" in end.err) == (2, True)
