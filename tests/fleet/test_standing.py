"""Adopted, in quarantine, ignored: who is logged in to, and who is listed and counted."""

from pathlib import Path

import pytest

from cameras.facts import Gap
from cameras.secret import Credential, Secret
from fleet import estate, lookup, standing
from fleet.audit.views import history
from fleet.errors import Invalid, NotFound
from fleet.findings import triage as findings
from fleet.people.scope import Scope
from fleet.reach import place_and_credential
from fleet.scans.runner import Scans
from fleet.settings import Settings
from fleet.standing import NEW, Standing
from fleet.store import Store
from fleet.vault.passwords import open_vault
from fleet.views import DeviceFilter, FindingFilter
from scanners.assessment import CameraAssessment, Options, assess
from scanners.credentials import CredentialRule
from scanners.targets import parse_targets
from tests.fleet.samples import FAIL, assessed, camera, dossier
from tests.fleet.test_scans import Estate, ended, found
from tests.simulator.asking import estate as simulated


async def kept(store: Store, number: int, port: int = 80, address: str = "") -> str:
    """A camera with one finding."""
    seen = dossier(address or f"10.0.0.{number}", port, identity=camera(number))
    await findings.record(store, assessed({("telnet-open", ""): FAIL}, seen))
    return await lookup.camera(store, f"B8A44F{number:06X}")


HOLDS = {
    "nobody has decided": (None, True, True),
    "adopted": (Standing.ADOPTED, True, True),
    "in quarantine": (Standing.QUARANTINED, True, False),
    "ignored": (Standing.IGNORED, False, False),
}


@pytest.mark.parametrize(("decided", "counted", "logged_in"), HOLDS.values(), ids=HOLDS)
async def test_what_follows_from_it(
    decided: Standing | None, *, counted: bool, logged_in: bool, store: Store, settings: Settings
) -> None:
    this, other = await kept(store, 1), await kept(store, 2)
    vault = await open_vault(store, settings)
    await vault.put(this, "root", Secret("a-password"), "anna", login=True)
    if decided:
        assert await standing.decide(store, {this: decided}, "anna") == 1
    listed = {row.id for row in (await estate.devices(store)).items}
    assert (this in listed, other in listed) == (counted, True)
    assert [row.id for row in (await estate.devices(store, DeviceFilter(standing=decided or NEW))).items][:1] == [this]
    number = 2 if counted else 1
    overview = await estate.overview(store)
    assert (overview.cameras, overview.checks[0].cameras) == (number, number)
    assert (await estate.findings(store)).total == number
    assert (await estate.findings(store, FindingFilter(camera=this))).total == 1
    assert len(await lookup.targets(store)) == len(await lookup.cameras(store, ["@all"])) == number
    assert ("10.0.0.1" in await standing.without_login(store)) is not logged_in
    if logged_in:
        assert (await place_and_credential(store, vault, settings, this))[1].username == "root"
    else:
        with pytest.raises(Invalid, match="no login is sent to it"):
            await place_and_credential(store, vault, settings, this)


async def test_a_decision_is_written_down_once_and_may_be_another_later(store: Store) -> None:
    this = await kept(store, 1)
    for wanted, changed in ((Standing.IGNORED, 1), (Standing.IGNORED, 0), (Standing.ADOPTED, 1)):
        assert await standing.decide(store, {this: wanted}, "anna") == changed
    told = [(row.action, row.said["was"], row.said["is"]) for row in await history(store, f"camera:{this}")]
    assert told == [("camera.decide", "ignored", "adopted"), ("camera.decide", None, "ignored")]
    assert dict(await standing.counts(store)) == {"adopted": 1}
    assert await kept(store, 1) == this  # a later visit leaves it so
    assert dict(await standing.counts(store)) == {"adopted": 1}


async def test_one_of_a_site_decides_on_no_camera_of_another(store: Store) -> None:
    this = await kept(store, 1)
    with pytest.raises(NotFound):
        await standing.decide(store, {this: Standing.ADOPTED}, "anna", Scope(frozenset({"elsewhere"})))
    assert dict(await standing.counts(store)) == {NEW: 1}


async def test_all_of_a_make_that_nobody_has_decided_on(store: Store) -> None:
    first, second = await kept(store, 1), await kept(store, 2)
    await standing.decide(store, {first: Standing.IGNORED}, "anna")
    assert await standing.of_vendor(store, "Axis") == [second]
    assert await standing.of_vendor(store, "") == []


async def test_behind_a_shared_address_only_its_own_port_is_closed(store: Store) -> None:
    closed = await kept(store, 1, 8001, "10.0.0.9")
    await kept(store, 2, 8002, "10.0.0.9")
    await standing.decide(store, {closed: Standing.QUARANTINED}, "anna")
    assert await standing.without_login(store) == {"10.0.0.9:8001"}


async def test_a_scan_that_only_looks_takes_no_login_along(store: Store, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "logins.yaml"
    file.write_text('- {match: "*", username: audit, password: "a-password"}\n')
    file.chmod(0o600)
    await standing.decide(store, {await kept(store, 7): Standing.QUARANTINED}, "anna")
    network = Estate(found(1))
    held = [CredentialRule("10.0.0.1", Credential("ours", Secret("a-password")))]

    async def of_the_vault() -> list[CredentialRule]:
        return held

    from_file = settings.model_copy(update={"credentials_file": file})
    async with Scans(store, from_file, assess=network, logins=of_the_vault) as scans:
        for looks_only in (True, False):
            view = await ended(scans, await scans.start("10.0.0.1", "anna", looks_only=looks_only))
            assert (view.looks_only, view.default_credentials) == (looks_only, not looks_only)
    looked, examined = [options for _, options in network.asked]
    assert (list(looked.credentials), looked.default_credentials) == ([], False)
    assert [rule.credential.username for rule in examined.credentials] == ["ours", "audit"]
    assert examined.default_credentials
    assert looked.without_login == examined.without_login == {"10.0.0.7", "10.0.0.7:80"}


async def test_what_is_closed_is_asked_everything_but_a_password() -> None:
    async with simulated(cameras=1, mix={"hikvision": 1}) as running:
        (plan,) = running.plan.cameras
        assert plan.login
        rule = CredentialRule("*", Credential(plan.login.name, Secret(plan.login.password)))
        for closed in (frozenset({plan.address}), frozenset({f"{plan.address}:{plan.http_port}"}), frozenset()):
            options = Options(credentials=[rule], without_login=closed)
            targets = parse_targets([f"http://{plan.address}:{plan.http_port}/"])
            (one,) = [result async for result in assess(targets, options)]
            assert isinstance(one, CameraAssessment)
            assert one.dossier.login == ("" if closed else plan.login.name)
            assert isinstance(one.dossier.credential_trials, Gap) is bool(closed)
            assert bool(running.cameras[0].guard.wrong_tries) is not bool(closed)
