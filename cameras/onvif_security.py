"""Certificates and the address filter of a camera, over ONVIF.

Keys stay on the camera: it makes one, signs a request for it, and takes the certificate that an authority made of that
(Advanced Security, "Keystore" and "TLS server"). Cameras without a keystore list theirs by the device service.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx

from cameras import soap
from cameras.certificates import chain_of, described, read_der, request_as_pem
from cameras.errors import Garbled, Refused
from cameras.facts import Certificates, IpFilter
from cameras.onvif_session import OnvifSession
from cameras.untrusted import clean_text

RSA_BITS = 2048
SHA256_WITH_RSA = "1.2.840.113549.1.1.11"
ALIAS = "camwarden"
MOST_CERTIFICATES = 64
# A small processor takes a minute over a key; longer is not waited for.
MOST_KEY_S, KEY_POLL_S = 120.0, 1.0


async def certificates(session: OnvifSession, keystore: httpx.URL | None) -> Certificates:
    if keystore is None:
        return await _of_the_device(session)
    known = await session.ask(soap.SECURITY, "GetAllCertificates", url=keystore)
    serving = {name for path in await _assigned(session, keystore) for name in await _in_path(session, keystore, path)}
    return Certificates(
        tuple(
            described(name, read_der(_said(entry, "CertificateContent")), serves=name in serving)
            for entry in (known or ())[:MOST_CERTIFICATES]
            if (name := _text(entry, "CertificateID"))
        )
    )


async def _of_the_device(session: OnvifSession) -> Certificates:
    """By the older calls, which keep no more than a name, the certificate, and whether HTTPS uses it."""
    known = await session.ask(soap.DEVICE, "GetCertificates") or ()
    status = await session.ask(soap.DEVICE, "GetCertificatesStatus") or ()
    serves = {_text(entry, "CertificateID"): _said(entry, "Status") for entry in status[:MOST_CERTIFICATES]}
    found = []
    for entry in known[:MOST_CERTIFICATES]:
        name, on = _text(entry, "CertificateID"), serves.get(_text(entry, "CertificateID"))
        data = read_der(_said(_said(entry, "Certificate"), "Data"))
        found.append(described(name, data, serves=on if isinstance(on, bool) else None))
    return Certificates(tuple(found))


async def _assigned(session: OnvifSession, keystore: httpx.URL) -> Sequence[str]:
    """The certification paths that the TLS server uses."""
    paths = await session.ask(soap.SECURITY, "GetAssignedServerCertificates", url=keystore)
    return [clean_text(str(path)) for path in (paths or ())[:MOST_CERTIFICATES]]


async def _in_path(session: OnvifSession, keystore: httpx.URL, path: str) -> Sequence[str]:
    said = await session.ask(soap.SECURITY, "GetCertificationPath", {"CertificationPathID": path}, keystore)
    return [clean_text(str(name)) for name in _said(said, "CertificateID") or ()][:1]  # the server's own comes first


async def request_certificate(session: OnvifSession, keystore: httpx.URL, name: str) -> str:
    """A new key on the camera, and the request for it in PEM."""
    asked = {"KeyLength": RSA_BITS, "Alias": ALIAS}
    key = _text(await session.ask(soap.SECURITY, "CreateRSAKeyPair", asked, keystore, once=True), "KeyID")
    if not key:
        raise Garbled("CreateRSAKeyPair: it names no key")
    await _until_made(session, keystore, key)
    arguments = {
        "Subject": {"CommonName": [name]},
        "KeyID": key,
        "SignatureAlgorithm": {"algorithm": SHA256_WITH_RSA},
    }
    return request_as_pem(read_der(await session.ask(soap.SECURITY, "CreatePKCS10CSR", arguments, keystore, once=True)))


async def _until_made(session: OnvifSession, keystore: httpx.URL, key: str) -> None:
    for _ in range(round(MOST_KEY_S / KEY_POLL_S)):
        status = await session.ask(soap.SECURITY, "GetKeyStatus", {"KeyID": key}, keystore)
        if status == "ok":
            return
        if status != "generating":
            raise Refused(f"the key that it was to make is {clean_text(str(status), 40)!r}")
        await asyncio.sleep(KEY_POLL_S)
    raise Refused(f"it did not finish its key within {MOST_KEY_S:.0f} s")


async def install_certificate(session: OnvifSession, keystore: httpx.URL, chain: str) -> None:
    """The camera has to hold the key of the first one. Its TLS server uses the chain from then on."""
    names = []
    for place, der in enumerate(chain_of(chain)):
        own = {"Certificate": der, "Alias": ALIAS, "PrivateKeyRequired": place == 0}
        said = await session.ask(soap.SECURITY, "UploadCertificate", own, keystore, once=True)
        names.append(_text(said, "CertificateID"))
    ids = {"CertificateIDs": {"CertificateID": names}, "Alias": ALIAS}
    path = await session.ask(soap.SECURITY, "CreateCertificationPath", ids, keystore, once=True)
    before = await _assigned(session, keystore)
    if before:
        change = {"OldCertificationPathID": before[0], "NewCertificationPathID": path}
        await session.ask(soap.SECURITY, "ReplaceServerCertificateAssignment", change, keystore, once=True)
    else:
        change = {"CertificationPathID": path}
        await session.ask(soap.SECURITY, "AddServerCertificateAssignment", change, keystore, once=True)


def decode_ip_filter(reply: Any) -> IpFilter:  # noqa: ANN401 - zeep's values have no types
    """GetIPAddressFilter. A filter without addresses keeps nobody out."""
    kind = _text(reply, "Type").lower()
    addresses = tuple(
        f"{_text(entry, 'Address')}/{_said(entry, 'PrefixLength')}"
        for family in ("IPv4Address", "IPv6Address")
        for entry in (_said(reply, family) or ())[:MOST_CERTIFICATES]
    )
    if kind not in ("allow", "deny"):
        raise Garbled(f"GetIPAddressFilter: {clean_text(kind, 40)!r} is neither Allow nor Deny")
    if not addresses:
        return IpFilter("off", ())
    return IpFilter("allow" if kind == "allow" else "deny", addresses)


def _said(thing: Any, name: str) -> Any:  # noqa: ANN401
    return getattr(thing, name, None)


def _text(thing: Any, name: str) -> str:  # noqa: ANN401
    value = _said(thing, name)
    return "" if value is None else clean_text(str(value))
