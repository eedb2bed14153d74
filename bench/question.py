"""ONVIF's one question that needs no login, as bytes."""

PATH = "/onvif/device_service"
HEADERS = {"Content-Type": "application/soap+xml; charset=utf-8"}
BODY = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
    b'<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>'
)
