# ruff: noqa: E501 - replies stand as they came, on one line
"""The ONVIF driver on replies as cameras give them, good and bad; a field report becomes a row."""

from datetime import UTC, datetime, timedelta

import pytest

from cameras import soap
from cameras.budget import AttemptBudget
from cameras.drivers.onvif import OnvifDriver
from cameras.errors import (
    ClockSkewed,
    DeviceError,
    Garbled,
    LockedOut,
    Refused,
    Unauthorized,
    Unreachable,
    Unsupported,
)
from cameras.facts import Account, Accounts, ClockSource, DiscoveryMode, Hostname, Identity, NetworkService
from tests.cameras.saying import http, saying
from tests.cameras.saying_soap import (
    CHALLENGE,
    DENIED,
    DEVICE,
    JOE,
    SOAP,
    clock_body,
    fault,
    session_to,
    soap_reply,
    to,
    users,
)

AXIS = Identity("AXIS", "P3265-V", "12.11.77", "B8A44F000001", "931", None, "onvif")
SOAP11 = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:tds="http://www.onvif.org/ver10/device/wsdl">'
    f"<e:Body>{DEVICE}</e:Body></e:Envelope>"
)
SHUFFLED = DEVICE.replace("<tds:Manufacturer>AXIS</tds:Manufacturer>", "").replace(
    "</tds:GetDeviceInformationResponse>",
    "<tds:Manufacturer>AXIS</tds:Manufacturer></tds:GetDeviceInformationResponse>",
)
HOSTILE = DEVICE.replace(
    "P3265-V", "&#x1b;[2J".replace("&#x1b;", "") + "&lt;script&gt;alert(1)&lt;/script&gt;" + "x" * 500
)

IDENTITIES = {
    "as published": (soap_reply(DEVICE), AXIS),
    "in a SOAP 1.1 envelope": (http(SOAP11), AXIS),
    "called HTML": (http(SOAP.format(DEVICE), "200 OK", "Content-Type: text/html"), AXIS),
    "without content type": (http(SOAP.format(DEVICE)), AXIS),
    "after blank lines": (http("\r\n\r\n" + SOAP.format(DEVICE)), AXIS),
    "with a field missing": (
        soap_reply(DEVICE.replace("<tds:HardwareId>931</tds:HardwareId>", "")),
        Identity("AXIS", "P3265-V", "12.11.77", "B8A44F000001", None, None, "onvif"),
    ),
    "with an element of its own, behind which zeep finds nothing": (
        soap_reply(DEVICE.replace("<tds:Model>", "<tds:Odd/><tds:Model>")),
        Identity("AXIS", None, None, None, None, None, "onvif"),
    ),
    "under HTTP 500": (soap_reply(DEVICE, "500 Internal Server Error"), AXIS),
}


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("reply", "identity"), IDENTITIES.values(), ids=IDENTITIES)
async def test_reads_the_identity(reply: bytes, identity: Identity, dribble: bool) -> None:
    async with saying(reply, dribble=dribble) as camera, to(camera) as device:
        assert await OnvifDriver(session_to(camera, device)).identity() == identity


async def test_a_hostile_name_is_cleaned_and_cut() -> None:
    async with saying(soap_reply(HOSTILE)) as camera, to(camera) as device:
        model = (await OnvifDriver(session_to(camera, device)).identity()).model
        assert model is not None
        assert model.startswith("[2J<script>")
        assert len(model) == 200


FAILURES = {
    "wants a login, said in SOAP": (fault("Sender", "ter:NotAuthorized", "Sender not Authorized"), Unauthorized),
    "wants a login, under HTTP 200": (fault("Sender", "ter:NotAuthorized", "no", "200 OK"), Unauthorized),
    "wants a login, said by a web server": (http("<html><br>", "401 Unauthorized"), Unauthorized),
    "wants a login, without a word": (http("", "401 Unauthorized"), Unauthorized),
    "has no such function": (
        fault("Receiver", "ter:ActionNotSupported", "Optional Action Not Implemented"),
        Unsupported,
    ),
    "has no such function, by gSOAP": (
        fault("Sender", "", "Method 'x' not implemented: method name or namespace not recognized"),
        Unsupported,
    ),
    "has no such function, by an empty 200": (http(""), Unsupported),
    "has no such function, by 404": (http("<html><br>", "404 Not Found"), Unsupported),
    "is locked, Hikvision": (
        fault(
            "Sender",
            "ter:NotAuthorized",
            "The device is locked because of entering wrong username/password many times.Please try it after 30 minutes!",
        ),
        LockedOut,
    ),
    "is locked, Reolink": (
        fault("Receiver", "ter:Action", "please try it after 5 minutes!", "500 Internal Server Error"),
        LockedOut,
    ),
    "counts down, Dahua": (
        fault("Sender", "ter:NotAuthorized", "Invalid username or password! You still have 3 attempt(s)."),
        LockedOut,
    ),
    "refuses by its clock, Dahua": (
        fault("Sender", "ter:NotAuthorized", "Wsse authorized time check failed."),
        ClockSkewed,
    ),
    "says no": (fault("Sender", "ter:InvalidArgVal", "no such thing"), Refused),
    "is forbidden": (http("<html><br>", "403 Forbidden"), Refused),
    "HTML instead of XML": (http("<html><br>welcome"), Garbled),
    "XML that is no envelope": (http("<welcome/>"), Garbled),
    "an envelope without a body": (http('<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>'), Garbled),
    "the answer to another question": (soap_reply(users("a")), Garbled),
    "an entity bomb": (http('<!DOCTYPE l [<!ENTITY a "a">]><l>&a;</l>'), Garbled),
    "cut off half-way": (soap_reply(DEVICE)[:-40], Unreachable),
    "truncated XML": (http(SOAP.format(DEVICE)[:-40]), Garbled),
    "silent": (None, Unreachable),
    "hangs up": (b"", Unreachable),
}


@pytest.mark.parametrize(("reply", "error"), FAILURES.values(), ids=FAILURES)
async def test_names_the_failure(reply: bytes | None, error: type[DeviceError]) -> None:
    async with saying(reply) as camera, to(camera) as device:
        with pytest.raises(error):
            await OnvifDriver(session_to(camera, device)).identity()


async def test_reads_accounts_and_looks_at_no_password() -> None:
    leaky = users("admin").replace("</tt:Username>", "</tt:Username><tt:Password>hunter2</tt:Password>")
    async with saying(soap_reply(leaky)) as camera, to(camera) as device:
        assert await OnvifDriver(session_to(camera, device)).accounts() == Accounts((Account("admin", "Operator"),))


NTP = "<tds:GetNTPResponse><tds:NTPInformation>{}</tds:NTPInformation></tds:GetNTPResponse>"
ANSWERS = {
    "clock source set by hand": (
        "clock_source",
        NTP.format(
            "<tt:FromDHCP>false</tt:FromDHCP><tt:NTPManual><tt:Type>IPv4</tt:Type><tt:IPv4Address>10.0.0.1</tt:IPv4Address></tt:NTPManual>"
        ),
        ClockSource(from_dhcp=False, servers=("10.0.0.1",)),
    ),
    "clock source by name": (
        "clock_source",
        NTP.format(
            "<tt:FromDHCP>false</tt:FromDHCP><tt:NTPManual><tt:Type>DNS</tt:Type><tt:DNSname>ntp.site</tt:DNSname></tt:NTPManual>"
        ),
        ClockSource(from_dhcp=False, servers=("ntp.site",)),
    ),
    "no clock source": (
        "clock_source",
        NTP.format("<tt:FromDHCP>false</tt:FromDHCP>"),
        ClockSource(from_dhcp=False, servers=()),
    ),
    "host name": (
        "hostname",
        "<tds:GetHostnameResponse><tds:HostnameInformation><tt:FromDHCP>true</tt:FromDHCP><tt:Name>cam1</tt:Name></tds:HostnameInformation></tds:GetHostnameResponse>",
        Hostname(name="cam1", from_dhcp=True),
    ),
    "discovery mode": (
        "discovery_mode",
        "<tds:GetDiscoveryModeResponse><tds:DiscoveryMode>NonDiscoverable</tds:DiscoveryMode></tds:GetDiscoveryModeResponse>",
        DiscoveryMode(discoverable=False),
    ),
}


@pytest.mark.parametrize(("question", "body", "fact"), ANSWERS.values(), ids=ANSWERS)
async def test_reads_a_fact(question: str, body: str, fact: object) -> None:
    async with saying(soap_reply(body)) as camera, to(camera) as device:
        assert await getattr(OnvifDriver(session_to(camera, device)), question)() == fact


EMPTY = {
    "no clock source element": ("clock_source", "<tds:GetNTPResponse/>"),
    "no host name element": ("hostname", "<tds:GetHostnameResponse/>"),
    "no protocol": ("network_services", "<tds:GetNetworkProtocolsResponse/>"),
}


@pytest.mark.parametrize(("question", "body"), EMPTY.values(), ids=EMPTY)
async def test_an_empty_element_is_not_an_answer(question: str, body: str) -> None:
    async with saying(soap_reply(body)) as camera, to(camera) as device:
        with pytest.raises(Unsupported):
            await getattr(OnvifDriver(session_to(camera, device)), question)()


async def test_reads_protocols_and_drops_impossible_ports() -> None:
    rows = "".join(
        f"<tds:NetworkProtocols><tt:Name>{name}</tt:Name><tt:Enabled>true</tt:Enabled>{ports}</tds:NetworkProtocols>"
        for name, ports in (("HTTP", "<tt:Port>80</tt:Port><tt:Port>0</tt:Port><tt:Port>99999</tt:Port>"), ("RTSP", ""))
    )
    body = f"<tds:GetNetworkProtocolsResponse>{rows}</tds:GetNetworkProtocolsResponse>"
    async with saying(soap_reply(body)) as camera, to(camera) as device:
        services = (await OnvifDriver(session_to(camera, device)).network_services()).services
        assert services == (
            NetworkService("HTTP", enabled=True, ports=(80,)),
            NetworkService("RTSP", enabled=True, ports=()),
        )


CLOCKS = {"right": 0, "an hour ahead": 3600, "ten months behind": -26_000_000}


@pytest.mark.parametrize("skew", CLOCKS.values(), ids=CLOCKS)
async def test_measures_the_clock(skew: int) -> None:
    body = clock_body(datetime.now(UTC) + timedelta(seconds=skew))
    async with saying(soap_reply(body)) as camera, to(camera) as device:
        clock = await session_to(camera, device).clock()
        assert clock.skew_s is not None
        assert clock.uncertainty_s is not None
        assert abs(clock.skew_s - skew) <= clock.uncertainty_s + 0.5
        assert clock.source == "ntp"


async def test_an_impossible_time_is_said_to_be_unknown() -> None:
    async with saying(soap_reply(clock_body(datetime.now(UTC), minute=61))) as camera, to(camera) as device:
        session = session_to(camera, device)
        assert (await session.clock()).skew_s is None
        assert session.quirks == {"impossible-time"}


async def test_logs_in_by_ws_security_dated_by_the_cameras_clock() -> None:
    ahead = datetime.now(UTC) + timedelta(days=400)
    replies = (soap_reply(clock_body(ahead)), DENIED, DENIED, soap_reply(DEVICE))
    async with saying(*replies) as camera, to(camera) as device:
        session = session_to(camera, device)
        await session.clock()
        await session.try_anonymously()
        await session.log_in(JOE)
        request = camera.heard[3].decode()
        assert f"{ahead.year}-{ahead.month:02d}-{ahead.day:02d}T" in request
        assert "PasswordDigest" in request
        assert "s3cret" not in request
        assert "authorization" not in request.lower().split("\r\n\r\n")[0]


async def test_logs_in_by_digest_and_never_with_both() -> None:
    async with saying(CHALLENGE, CHALLENGE, soap_reply(DEVICE)) as camera, to(camera) as device:
        session = session_to(camera, device)
        await session.try_anonymously()
        await session.log_in(JOE)
        head, _, body = camera.heard[2].decode().partition("\r\n\r\n")
        assert "authorization: digest" in head.lower()
        assert "UsernameToken" not in body


async def test_the_answer_that_proved_the_login_is_not_asked_for_again() -> None:
    async with saying(CHALLENGE, CHALLENGE, soap_reply(DEVICE), soap_reply(users("a"))) as camera, to(camera) as device:
        session = session_to(camera, device)
        await session.try_anonymously()
        await session.log_in(JOE)
        assert await OnvifDriver(session).identity() == AXIS
        assert await OnvifDriver(session).accounts() == Accounts((Account("a", "Operator"),))
        assert len(camera.heard) == 4


async def test_a_login_that_is_accepted_with_a_garbled_answer_still_counts() -> None:
    replies = (CHALLENGE, CHALLENGE, http("<html><br>"), soap_reply(users("a")))
    async with saying(*replies) as camera, to(camera) as device:
        session = session_to(camera, device)
        await session.try_anonymously()
        await session.log_in(JOE)
        assert (await OnvifDriver(session).accounts()).users == (Account("a", "Operator"),)


REFUSALS = {"by Digest": CHALLENGE, "by WS-Security": DENIED}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_a_refused_login_costs_one_try_and_is_not_repeated(refusal: bytes) -> None:
    budget = AttemptBudget()
    clock = soap_reply(clock_body(datetime.now(UTC)))
    async with saying(clock, refusal) as camera, to(camera) as device:
        session = session_to(camera, device, budget)
        await session.clock()
        await session.try_anonymously()
        before = len(camera.heard)
        with pytest.raises(Unauthorized):
            await session.log_in(JOE)
        assert len(camera.heard) == before + 1
        assert budget.remaining(f"127.0.0.1:{camera.port}", "joe") == 1


async def test_reads_the_clock_by_itself_before_it_signs() -> None:
    ahead = datetime.now(UTC) + timedelta(days=400)
    replies = (DENIED, DENIED, soap_reply(clock_body(ahead)), soap_reply(DEVICE))
    async with saying(*replies) as camera, to(camera) as device:
        session = session_to(camera, device)
        await session.try_anonymously()
        await session.log_in(JOE)
        assert f"{ahead.year}-{ahead.month:02d}-" in camera.heard[3].decode()


async def test_a_refused_login_without_a_clock_may_be_the_clocks_fault() -> None:
    async with saying(DENIED) as camera, to(camera) as device:
        session = session_to(camera, device)
        await session.try_anonymously()
        with pytest.raises(ClockSkewed):
            await session.log_in(JOE)


async def test_a_budget_that_is_spent_sends_nothing() -> None:
    budget = AttemptBudget(per_account=0)
    async with saying(DENIED) as camera, to(camera) as device:
        session = session_to(camera, device, budget)
        await session.try_anonymously()
        before = len(camera.heard)
        with pytest.raises(LockedOut):
            await session.log_in(JOE)
        assert len(camera.heard) == before


OPEN = {
    "everything": ((soap_reply(DEVICE), soap_reply(users("a"))), ("GetDeviceInformation", "GetUsers"), ()),
    "nothing": ((DENIED,), (), ("GetDeviceInformation", "GetUsers")),
    "one, and cut off at the other": ((soap_reply(DEVICE), b""), ("GetDeviceInformation",), ()),
    "an empty list gives nothing away": ((DENIED, soap_reply(users())), (), ("GetDeviceInformation",)),
    "a page for everything": ((http("<html><br>welcome"),), (), ()),
}


@pytest.mark.parametrize(("replies", "answered", "refused"), OPEN.values(), ids=OPEN)
async def test_says_what_a_stranger_may_read(
    replies: tuple[bytes, ...], answered: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    async with saying(*replies) as camera, to(camera) as device:
        found = await session_to(camera, device).try_anonymously()
        assert (found.answered, found.refused) == (answered, refused)


SERVICES = (
    "<tds:GetServicesResponse><tds:Service><tds:Namespace>http://www.onvif.org/ver20/media/wsdl</tds:Namespace>"
    "<tds:XAddr>http://192.168.1.64/onvif/media2</tds:XAddr><tds:Version><tt:Major>21</tt:Major><tt:Minor>6</tt:Minor>"
    "</tds:Version></tds:Service></tds:GetServicesResponse>"
)
PROFILES2 = (
    '<tr2:GetProfilesResponse><tr2:Profiles token="p1" fixed="true"><tr2:Name>Main</tr2:Name><tr2:Configurations>'
    "<tr2:VideoEncoder><tt:Encoding>H265</tt:Encoding><tt:Resolution><tt:Width>3840</tt:Width><tt:Height>2160</tt:Height>"
    "</tt:Resolution></tr2:VideoEncoder></tr2:Configurations></tr2:Profiles></tr2:GetProfilesResponse>"
)


async def test_reads_media2_profiles_behind_nat_and_hides_their_passwords() -> None:
    stream = "<tr2:GetStreamUriResponse><tr2:Uri>rtsp://admin:pw@192.168.1.64/live</tr2:Uri></tr2:GetStreamUriResponse>"
    snapshot = fault("Receiver", "ter:ActionNotSupported", "no snapshots")
    replies = (soap_reply(SERVICES), soap_reply(PROFILES2), soap_reply(stream), snapshot)
    async with saying(*replies) as camera, to(camera) as device:
        session = session_to(camera, device)
        driver = OnvifDriver(session)
        found = await driver.stream_profiles(await driver.services())
        (profile,) = found.profiles
        assert (found.media, profile.encoding, profile.width) == ("media2", "H265", 3840)
        assert (profile.stream_uri, profile.snapshot_uri) == ("rtsp://192.168.1.64/live", None)
        assert camera.heard[1].startswith(b"POST /onvif/media2 ")
        assert session.quirks == {"xaddr-other-host"}


async def test_falls_back_to_capabilities() -> None:
    old = (
        "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Media><tt:XAddr>http://cam/onvif/media</tt:XAddr></tt:Media>"
        "</tds:Capabilities></tds:GetCapabilitiesResponse>"
    )
    unsupported = fault("Receiver", "ter:ActionNotSupported", "Action Not Implemented")
    async with saying(unsupported, soap_reply(old)) as camera, to(camera) as device:
        services = (await OnvifDriver(session_to(camera, device)).services()).services
        assert [(s.namespace, s.url) for s in services] == [(soap.MEDIA, "http://cam/onvif/media")]


def test_descriptions_are_parsed_once() -> None:
    assert soap.descriptions() is soap.descriptions()


JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 16
PICTURES: dict[str, tuple[bytes, type[DeviceError] | None]] = {
    "a JPEG": (http(JPEG), None),
    "a PNG": (http(b"\x89PNG\r\n\x1a\n" + b"\0" * 16), None),
    "a page": (http("<html>"), Garbled),
    "no such address": (http("", "404 Not Found"), Unsupported),
    "forbidden": (http("", "403 Forbidden"), Unauthorized),
    "wants a login": (CHALLENGE, Unauthorized),
}


@pytest.mark.parametrize(("reply", "error"), PICTURES.values(), ids=PICTURES)
async def test_fetches_a_snapshot(reply: bytes, error: type[DeviceError] | None) -> None:
    async with saying(reply) as camera, to(camera) as device:
        driver = OnvifDriver(session_to(camera, device))
        if error is None:
            assert (await driver.snapshot("http://192.168.1.64/snap.jpg"))[:1] in (b"\xff", b"\x89")
        else:
            with pytest.raises(error):
                await driver.snapshot("http://192.168.1.64/snap.jpg")


async def test_fetches_a_snapshot_with_the_login_that_worked() -> None:
    async with saying(CHALLENGE, CHALLENGE, soap_reply(DEVICE), http(JPEG)) as camera, to(camera) as device:
        session = session_to(camera, device)
        await session.try_anonymously()
        await session.log_in(JOE)
        assert await OnvifDriver(session).snapshot("http://cam/snap.jpg") == JPEG
        assert b"authorization: digest" in camera.heard[3].lower()
