"""The limit: as many requests as hardening needed, one bare connection per camera, nothing parsed, nothing proved."""

import asyncio
import json
import sys
import time

AT_ONCE = 16
_ENVELOPE = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
    b'<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>'
)


async def ask(address: str, port: int, requests: int, places: asyncio.Semaphore) -> int:
    head = f"POST /onvif/device_service HTTP/1.1\r\nHost: {address}:{port}\r\n"
    kind = f"Content-Type: application/soap+xml; charset=utf-8\r\nContent-Length: {len(_ENVELOPE)}\r\n\r\n"
    message = (head + kind).encode() + _ENVELOPE
    async with places:
        reader, writer = await asyncio.open_connection(address, port)
        for _ in range(requests):
            writer.write(message)
            said = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(said.partition(b"content-length:")[2].partition(b"\r\n")[0]))
        writer.close()
    return requests


async def main() -> None:
    job = json.load(sys.stdin)
    places = asyncio.Semaphore(AT_ONCE)
    started = time.perf_counter()
    sent = await asyncio.gather(*(ask(one["address"], one["port"], one["requests"], places) for one in job))
    print(json.dumps({"seconds": time.perf_counter() - started, "requests": sum(sent)}))


if __name__ == "__main__":
    asyncio.run(main())
