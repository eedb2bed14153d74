"""Metadata documents out of RTP packets: the marker bit closes a document (ONVIF Streaming §5.1.2.1)."""

import zlib
from collections.abc import AsyncIterator
from typing import Protocol

from cameras.errors import Garbled, Unsupported
from cameras.metadata import MOST_DOCUMENT_BYTES

_END = b"MetadataStream>"
_PLAIN = "vnd.onvif.metadata"
_ZIPPED = f"{_PLAIN}+gzip"
_GZIP_WINDOW = 31


class Piece(Protocol):
    """What we need of an RTP packet (`cameras.rtsp.Packet`)."""

    @property
    def payload(self) -> bytes: ...
    @property
    def marker(self) -> bool: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def sequence(self) -> int: ...


class Documents:
    """Packets in, whole documents out; what cannot be whole any more is dropped and counted in `lost`.

    A camera that never sets the marker is understood by the change of the timestamp, once its document is closed.
    """

    def __init__(self, encoding: str = _PLAIN) -> None:
        """`encoding` as the session description names it. Raises Unsupported for one that we cannot read (EXI)."""
        if encoding.lower() not in {_PLAIN, _ZIPPED}:
            raise Unsupported(f"its metadata is encoded as {encoding[:40]!r}, which we cannot read")
        self.lost = 0
        self._zipped = encoding.lower() == _ZIPPED
        self._pieces = bytearray()
        self._timestamp: int | None = None
        self._sequence: int | None = None
        self._broken = False

    def add(self, packet: Piece) -> list[bytes]:
        """The documents that this packet closes: none, one, or two."""
        closed: list[bytes] = []
        if self._sequence is not None and packet.sequence != (self._sequence + 1) % 65536:
            self._broken = True
        self._sequence = packet.sequence
        if self._pieces and packet.timestamp != self._timestamp and self._is_closed():
            closed += self._close()
        self._timestamp = packet.timestamp
        if len(self._pieces) + len(packet.payload) > MOST_DOCUMENT_BYTES:
            self._broken = True
            self._pieces.clear()
        if not self._broken:
            self._pieces += packet.payload
        if packet.marker:
            closed += self._close()
        return closed

    def _is_closed(self) -> bool:
        return self._zipped or self._pieces.rstrip().endswith(_END)

    def _close(self) -> list[bytes]:
        document, broken = bytes(self._pieces), self._broken
        self._pieces.clear()
        self._broken = False
        if broken:
            self.lost += 1
            return []
        if not document.strip():
            return []
        return [_unzipped(document)] if self._zipped else [document]


async def documents(packets: AsyncIterator[Piece], encoding: str = _PLAIN) -> AsyncIterator[bytes]:
    """Every whole document of a stream. Raises what the stream raises, and Garbled for a zip bomb."""
    assembled = Documents(encoding)
    async for packet in packets:
        for document in assembled.add(packet):
            yield document


def _unzipped(document: bytes) -> bytes:
    try:
        opened = zlib.decompressobj(_GZIP_WINDOW)
        plain = opened.decompress(document, MOST_DOCUMENT_BYTES)
    except zlib.error as error:
        raise Garbled("its metadata is said to be zipped, and is not") from error
    if opened.unconsumed_tail:
        raise Garbled(f"a metadata document of more than {MOST_DOCUMENT_BYTES} bytes")
    return plain
