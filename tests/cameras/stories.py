"""What a driver is held to: each story asks and changes one thing on a simulated camera, and looks whether it is true.

A story ends with Unsupported where the family cannot do it, before anything was changed.
"""

import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from cameras.driver import SwitchName
from cameras.errors import Refused, Unsupported
from cameras.facts import Account, Apps, ClockSource, DiscoveryMode, IpFilter, Switch, SyslogTarget
from cameras.facts import App as FoundApp
from cameras.secret import Credential, Secret
from simulator.firmware import package
from simulator.plan import App
from simulator.tls import Authority
from tests.cameras.meeting import Met
from tests.simulator.changing import firmware_for, until

EVE = Credential("eve", Secret("Str0ng-passw!"))
NEW = Secret("N3w-passw0rd!")
Story = Callable[[Met], Awaitable[None]]


@contextmanager
def a_file(name: str, content: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        yield path


# --- who it is ---


async def identity(met: Met) -> None:
    async with met.opened() as driver:
        said, plan = await driver.identity(), met.camera.plan
        assert (said.model, said.serial, said.driver) == (plan.model, plan.serial, driver.family)
        assert said.firmware
        assert said.firmware in plan.firmware or plan.firmware in said.firmware


async def streams(met: Met) -> None:
    async with met.opened() as driver:
        profiles = (await driver.stream_profiles(await driver.services())).profiles
        assert profiles
        assert all(one.stream_uri and one.stream_uri.startswith("rtsp://") for one in profiles)


async def snapshot(met: Met) -> None:
    async with met.opened() as driver:
        profiles = (await driver.stream_profiles(await driver.services())).profiles
        uri = next(one.snapshot_uri for one in profiles if one.snapshot_uri)
        assert (await driver.snapshot(uri)).startswith(b"\xff\xd8")


async def log(met: Met) -> None:
    async with met.opened() as driver:
        assert (await driver.log()).lines


# --- accounts ---


async def accounts(met: Met) -> None:
    async with met.opened() as driver:
        assert {a.name for a in (await driver.accounts()).users} == {a.name for a in met.camera.plan.accounts_of("web")}


async def an_account(met: Met) -> None:
    async with met.opened() as driver:
        await driver.create_account(EVE, "Administrator")
    async with met.opened() as driver:
        assert Account("eve", "Administrator") in (await driver.accounts()).users
        stores = await driver.account_stores()
    assert all([await met.works(store, EVE) for store in stores])
    async with met.opened() as driver:
        await driver.remove_account("eve")
    assert "eve" not in {a.name for store in stores for a in met.camera.plan.accounts_of(store)}


async def password_of_another(met: Met) -> None:
    async with met.opened() as driver:
        await driver.create_account(EVE, "User")
        await driver.set_password("eve", NEW)
        stores = await driver.account_stores()
    assert all([await met.works(store, Credential("eve", NEW)) for store in stores])


async def our_own_password(met: Met) -> None:
    async with met.opened() as driver:
        stores = await driver.account_stores()
        await driver.set_password(met.credential.username, NEW)
    met.credential = Credential(met.credential.username, NEW)
    assert all([await met.works(store, met.credential) for store in stores])
    async with met.opened() as driver:
        await driver.identity()


async def lockout(met: Met) -> None:
    async with met.opened() as driver:
        before = await driver.lockout()
        await driver.set_lockout(tries=5, lock_s=600)
    async with met.opened() as driver:
        after = await driver.lockout()
    assert before.enabled is not None
    assert after.enabled is True
    assert after.lock_s is None or after.lock_s >= 600
    assert after.tries is None or after.tries <= 5


async def anonymous(met: Met) -> None:
    async with met.opened() as driver:
        for allowed in (True, False):
            await driver.set_anonymous_viewer(allowed=allowed)
            async with met.opened() as fresh:
                assert (await fresh.anonymous_viewer()).allowed is allowed


async def ip_filter(met: Met) -> None:
    async with met.opened() as driver:
        assert (await driver.ip_filter()).mode == "off"


async def ip_filter_on_trial(met: Met) -> None:
    """By the newest firmware of a family: an older one may have nothing that can be tried."""
    if met.camera.plan.vendor == "axis":
        met.camera.become(replace(met.camera.plan, firmware="12.11.77"))
    wanted = IpFilter("allow", ("127.0.0.1", "192.0.2.0/24"))
    async with met.opened() as driver:
        await driver.try_ip_filter(wanted, back_after_s=600)
    async with met.opened() as driver:
        assert await driver.ip_filter() == wanted
        assert (await driver.filter_trial()).left_s > 0
        await driver.keep_ip_filter()
    async with met.opened() as driver:
        assert (await driver.filter_trial()).left_s == 0
        await driver.try_ip_filter(IpFilter("off", ()), back_after_s=600)
    async with met.opened() as driver:
        assert await driver.ip_filter() == IpFilter("off", ())


# --- services and settings ---


async def network_services(met: Met) -> None:
    async with met.opened() as driver:
        await driver.set_network_service("RTSP", enabled=False)
    assert not met.camera.plan.rtsp_on
    async with met.opened() as driver:
        said = {one.name: one.enabled for one in (await driver.network_services()).services}
        assert said["RTSP"] is False
        assert True in (said["HTTP"], said["HTTPS"])


def switch(name: SwitchName) -> Story:
    async def story(met: Met) -> None:
        async with met.opened() as driver:
            known = {one.name for one in (await driver.switches()).switches}
            if name not in known:
                raise Unsupported(f"it has no {name} to switch")
        for on in (True, False):
            async with met.opened() as driver:
                await driver.set_switch(name, on=on)
            async with met.opened() as driver:
                assert Switch(name, on) in (await driver.switches()).switches

    return story


async def clock_source(met: Met) -> None:
    async with met.opened() as driver:
        await driver.set_clock_source(servers=["192.0.2.7"], from_dhcp=False)
    async with met.opened() as driver:
        assert await driver.clock_source() == ClockSource(from_dhcp=False, servers=("192.0.2.7",))
    assert met.camera.plan.ntp_servers == ("192.0.2.7",)


async def discovery_mode(met: Met) -> None:
    for discoverable in (True, False):
        async with met.opened() as driver:
            await driver.set_discovery_mode(discoverable=discoverable)
        async with met.opened() as driver:
            assert await driver.discovery_mode() == DiscoveryMode(discoverable=discoverable)


async def syslog(met: Met) -> None:
    async with met.opened() as driver:
        await driver.set_syslog_target(SyslogTarget(enabled=True, server="192.0.2.8", port=5514, protocol="udp"))
    async with met.opened() as driver:
        said = await driver.syslog_target()
        assert (said.enabled, said.server, said.port) == (True, "192.0.2.8", 5514)


async def certificates(met: Met) -> None:
    async with met.opened() as driver:
        found = (await driver.certificates()).certificates
        assert [one for one in found if one.serves is not False and one.not_after]


async def a_certificate_of_ours(met: Met) -> None:
    authority = Authority.new()
    async with met.opened() as driver:
        request = x509.load_pem_x509_csr((await driver.request_certificate("camera-7.example")).encode())
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder(authority.certificate.subject, request.subject, request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + timedelta(days=90))
            .sign(authority.key, hashes.SHA256())
        )
        await driver.install_certificate((made.public_bytes(Encoding.PEM) + authority.pem).decode())
    shown = await met.certificate_on_the_wire()
    assert x509.load_der_x509_certificate(shown) == made
    async with met.opened() as driver:
        serving = [one for one in (await driver.certificates()).certificates if one.serves]
        assert [one.subject for one in serving] == ["CN=camera-7.example"]


# --- firmware and configuration ---


async def firmware(met: Met) -> None:
    plan = met.camera.plan
    with a_file("image.bin", firmware_for(plan, "99.1.1")) as image:
        async with met.opened() as driver:
            await driver.upload_firmware(image, rollback_after_s=None)
    await met.back()
    assert met.camera.flashed == ["99.1.1"]
    async with met.opened() as driver:
        assert "99.1.1" in ((await driver.firmware_state()).version or "")


async def firmware_on_trial(met: Met) -> None:
    plan = met.camera.plan
    with a_file("image.bin", firmware_for(plan, "99.1.1")) as image:
        async with met.opened() as driver:
            await driver.upload_firmware(image, rollback_after_s=600)
    await met.back()
    async with met.opened() as driver:
        state = await driver.firmware_state()
        assert (state.committed, state.previous) == (False, plan.firmware)
        await driver.roll_back_firmware()
    await met.back(boots=3)
    async with met.opened() as driver:
        assert (await driver.firmware_state()).version == plan.firmware


async def backup(met: Met) -> None:
    async with met.opened() as driver:
        saved = await driver.backup()
        await driver.set_clock_source(servers=["192.0.2.77"], from_dhcp=False)
        before = met.camera.plan.ntp_servers
        await driver.restore(saved)
    await met.back()
    assert before == ("192.0.2.77",)
    assert met.camera.plan.ntp_servers != before


async def reboot(met: Met) -> None:
    async with met.opened() as driver:
        await driver.reboot()
    await until(lambda: met.camera.boots > 1)


# --- applications ---


async def an_app_that_is_there(met: Met) -> None:
    met.camera.install(App("counter", "Counter", "Northlight", "1.2.3", running=False))
    await _runs_and_stops(met)


async def _runs_and_stops(met: Met) -> None:
    for state in (True, False):
        async with met.opened() as driver:
            tell = driver.start_app if state else driver.stop_app
            await tell(_counter(await driver.apps()).id)
        async with met.opened() as driver:
            found = _counter(await driver.apps())
            assert found.running is state
            assert found.version in ("1.2.3", None)  # not every list has it


async def apps(met: Met) -> None:
    vendor = met.camera.plan.vendor
    with a_file("counter.eap", package("counter", "1.2.3", vendor=vendor)) as file:
        async with met.opened() as driver:
            await driver.upload_app(file, "counter")
    await _runs_and_stops(met)
    async with met.opened() as driver:
        await driver.remove_app(_counter(await driver.apps()).id)
    assert "counter" not in {app.name for app in met.camera.plan.apps}


async def unsigned_apps(met: Met) -> None:
    """On firmware that knows signatures. What is refused when it comes in goes on running where it is already."""
    if met.camera.plan.vendor == "axis":
        met.camera.become(replace(met.camera.plan, firmware="12.11.77"))
    for allowed in (True, False):
        async with met.opened() as driver:
            await driver.set_unsigned_apps(allowed=allowed)
        async with met.opened() as driver:
            assert (await driver.unsigned_apps()).allowed is allowed
            with a_file("counter.eap", package("counter", "1.2.3", signed=False)) as file:
                if allowed:
                    await driver.upload_app(file, "counter")
                    await driver.start_app("counter")
                else:
                    with pytest.raises(Refused):
                        await driver.upload_app(file, "counter")
            assert _counter(await driver.apps()).running


def _counter(found: Apps) -> FoundApp:
    return next(app for app in found.apps if "counter" in f"{app.id} {app.name}".casefold())
