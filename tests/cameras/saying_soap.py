# ruff: noqa: E501 - replies stand as they came, on one line
"""What cameras say in SOAP, for cameras of a few lines."""

from datetime import datetime

from cameras.budget import AttemptBudget
from cameras.http import DeviceHttp
from cameras.onvif_session import OnvifSession
from cameras.secret import Credential, Secret
from tests.cameras.saying import Saying, http

SOAP = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" '
    'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" '
    'xmlns:tr2="http://www.onvif.org/ver20/media/wsdl" xmlns:ter="http://www.onvif.org/ver10/error">'
    "<s:Body>{}</s:Body></s:Envelope>"
)


def soap_reply(body: str, status: str = "200 OK", *headers: str) -> bytes:
    return http(SOAP.format(body), status, "Content-Type: application/soap+xml", *headers)


def fault(code: str, subcode: str, text: str, status: str = "400 Bad Request") -> bytes:
    return soap_reply(
        f"<s:Fault><s:Code><s:Value>s:{code}</s:Value><s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code>"
        f"<s:Reason><s:Text>{text}</s:Text></s:Reason></s:Fault>",
        status,
    )


def session_to(camera: Saying, http_: DeviceHttp, budget: AttemptBudget | None = None) -> OnvifSession:
    return OnvifSession(http_, f"127.0.0.1:{camera.port}", budget or AttemptBudget())


def to(camera: Saying) -> DeviceHttp:
    return DeviceHttp("127.0.0.1", camera.port, "http", timeout_s=0.5)


def users(*names: str) -> str:
    rows = (f"<tds:User><tt:Username>{n}</tt:Username><tt:UserLevel>Operator</tt:UserLevel></tds:User>" for n in names)
    return f"<tds:GetUsersResponse>{''.join(rows)}</tds:GetUsersResponse>"


DEVICE = (
    "<tds:GetDeviceInformationResponse><tds:Manufacturer>AXIS</tds:Manufacturer><tds:Model>P3265-V</tds:Model>"
    "<tds:FirmwareVersion>12.11.77</tds:FirmwareVersion><tds:SerialNumber>B8A44F000001</tds:SerialNumber>"
    "<tds:HardwareId>931</tds:HardwareId></tds:GetDeviceInformationResponse>"
)


def clock_body(moment: datetime, second: int | None = None, minute: int | None = None) -> str:
    time = (
        f"<tt:Time><tt:Hour>{moment.hour}</tt:Hour><tt:Minute>{moment.minute if minute is None else minute}</tt:Minute>"
        f"<tt:Second>{moment.second if second is None else second}</tt:Second></tt:Time>"
    )
    date = f"<tt:Date><tt:Year>{moment.year}</tt:Year><tt:Month>{moment.month}</tt:Month><tt:Day>{moment.day}</tt:Day></tt:Date>"
    return (
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>"
        "<tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone>"
        f"<tt:UTCDateTime>{time}{date}</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    )


DENIED = fault("Sender", "ter:NotAuthorized", "Sender not Authorized")
CHALLENGE = http("", "401 Unauthorized", 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"')
JOE = Credential("joe", Secret("s3cret"))
