"""The snapshot that every camera takes: a valid baseline JPEG of 16 by 16 grey pixels."""


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def _one_symbol_table(kind_and_slot: int) -> bytes:
    """A Huffman table with a single code, one bit long, for symbol 0 (no difference; end of block)."""
    return bytes((kind_and_slot, 1)) + bytes(15) + b"\0"


JPEG = b"".join(
    (
        b"\xff\xd8",
        _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
        _segment(0xDB, b"\0" + bytes([16] * 64)),
        _segment(0xC0, b"\x08\0\x10\0\x10\x01\x01\x11\0"),
        _segment(0xC4, _one_symbol_table(0x00)),
        _segment(0xC4, _one_symbol_table(0x10)),
        _segment(0xDA, b"\x01\x01\0\0\x3f\0"),
        b"\0",  # four blocks, each "same brightness, nothing more": eight zero bits
        b"\xff\xd9",
    )
)
