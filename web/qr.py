"""A text as a QR code (ISO/IEC 18004): bytes, level M, versions 1 to 20. Pure; small enough to need no library.

An authenticator app reads its secret from it. `drawn` gives what an SVG path needs: nothing of it is markup.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import groupby, product

# Codewords for correction in each block, and how many blocks: of level M, by version, beginning with 1.
_CORRECTING = (10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26)
_BLOCKS = (1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16)
_LEVEL_M = 0b00
_QUIET = 4
_FINDER, _TIMING, _LONG_COUNT_FROM, _VERSION_SHOWN_FROM = 7, 6, 10, 7
_MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda row, column: (row + column) % 2 == 0,
    lambda row, _column: row % 2 == 0,
    lambda _row, column: column % 3 == 0,
    lambda row, column: (row + column) % 3 == 0,
    lambda row, column: (row // 2 + column // 3) % 2 == 0,
    lambda row, column: row * column % 2 + row * column % 3 == 0,
    lambda row, column: (row * column % 2 + row * column % 3) % 2 == 0,
    lambda row, column: ((row + column) % 2 + row * column % 3) % 2 == 0,
)
# What a scanner could take for the corner of a code.
_LIKE_A_FINDER = ("10111010000", "00001011101")

Square = list[list[int | None]]


def drawn(text: str) -> tuple[int, str]:
    """The side of the square with its quiet border, and the path of all dark fields; (0, "") where it does not fit."""
    square = squares(text.encode())
    dark = (
        f"M{column + _QUIET} {row + _QUIET}h{length}v1h-{length}z"
        for row, fields in enumerate(square)
        for column, length in _runs(fields)
    )
    return (len(square) + 2 * _QUIET, "".join(dark)) if square else (0, "")


def _runs(fields: list[int]) -> Iterator[tuple[int, int]]:
    column = 0
    for dark, run in groupby(fields):
        length = len(list(run))
        if dark:
            yield column, length
        column += length


def squares(content: bytes) -> list[list[int]]:
    """Rows of fields, 1 is dark; [] where the content is too long."""
    version = next((v for v in range(1, len(_BLOCKS) + 1) if _bits_needed(content, v) <= _data_words(v) * 8), None)
    if version is None:
        return []
    bits = _interleaved(_data(content, version), version)
    frame = _frame(version)
    tried = [_masked(frame, bits, mask) for mask in range(len(_MASKS))]
    return min(tried, key=_penalty)


# --- data -------------------------------------------------------------------------------------------------------------


def _count_bits(version: int) -> int:
    return 16 if version >= _LONG_COUNT_FROM else 8


def _bits_needed(content: bytes, version: int) -> int:
    return 4 + _count_bits(version) + 8 * len(content)


def _data(content: bytes, version: int) -> list[int]:
    room = _data_words(version)
    bits = "0100" + format(len(content), f"0{_count_bits(version)}b") + "".join(format(byte, "08b") for byte in content)
    bits += "0" * min(4, room * 8 - len(bits))
    bits += "0" * (-len(bits) % 8)
    words = [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]
    return [*words, *((0xEC, 0x11)[at % 2] for at in range(room - len(words)))]


def _all_words(version: int) -> int:
    side = version * 4 + 17
    aligned = len(_alignment(version))
    bits = side * side - 3 * 64 - 31 - 2 * (side - 16)  # finders with their borders, format, timing
    if aligned:
        bits -= (aligned * aligned - 3) * 25 - (aligned - 2) * 10
    return (bits - (36 if version >= _VERSION_SHOWN_FROM else 0)) // 8


def _data_words(version: int) -> int:
    return _all_words(version) - _CORRECTING[version - 1] * _BLOCKS[version - 1]


def _interleaved(data: list[int], version: int) -> list[int]:
    """The blocks with their corrections, one word of each in turn, as bits."""
    many, correcting = _BLOCKS[version - 1], _CORRECTING[version - 1]
    short, longer = divmod(len(data), many)
    blocks, at = [], 0
    for number in range(many):
        length = short + (number >= many - longer)
        blocks.append(data[at : at + length])
        at += length
    corrections = [_remainder(block, correcting) for block in blocks]
    words = [block[at] for at in range(short + 1) for block in blocks if at < len(block)]
    words += [block[at] for at in range(correcting) for block in corrections]
    return [word >> bit & 1 for word in words for bit in range(7, -1, -1)]


# --- Reed and Solomon -------------------------------------------------------------------------------------------------


def _times(one: int, other: int) -> int:
    """In the field of 256, with x⁸ + x⁴ + x³ + x² + 1."""
    result = 0
    for bit in range(7, -1, -1):
        result = (result << 1) ^ ((result >> 7) * 0x11D)
        result ^= (other >> bit & 1) * one
    return result


@cache
def _divisor(degree: int) -> tuple[int, ...]:
    found, root = [0] * (degree - 1) + [1], 1
    for _ in range(degree):
        found = [_times(word, root) ^ following for word, following in zip(found, [*found[1:], 0], strict=True)]
        root = _times(root, 2)
    return tuple(found)


def _remainder(data: list[int], degree: int) -> list[int]:
    result, divisor = [0] * degree, _divisor(degree)
    for word in data:
        factor = word ^ result[0]
        result = [given ^ _times(part, factor) for given, part in zip([*result[1:], 0], divisor, strict=True)]
    return result


# --- the square -------------------------------------------------------------------------------------------------------


def _alignment(version: int) -> list[int]:
    if version == 1:
        return []
    many, side = version // 7 + 2, version * 4 + 17
    step = (version * 8 + many * 3 + 5) // (many * 4 - 4) * 2
    return [_TIMING, *reversed([side - 7 - number * step for number in range(many - 1)])]


def _frame(version: int) -> Square:
    """What is the same for every content; `None` is free."""
    side = version * 4 + 17
    frame: Square = [[None] * side for _ in range(side)]
    for at in range(side):
        frame[_TIMING][at] = frame[at][_TIMING] = (at + 1) % 2
    for row, column in ((3, 3), (3, side - 4), (side - 4, 3)):
        _ring(frame, row, column, 4, dark=(0, 1, 3))
    places = _alignment(version)
    corners = {(6, 6), (6, side - 7), (side - 7, 6)}
    for row, column in product(places, places):
        if (row, column) not in corners:
            _ring(frame, row, column, 2, dark=(0, 2))
    if version >= _VERSION_SHOWN_FROM:
        _show_version(frame, version)
    _show_format(frame, 0)  # keeps its fields free of data
    return frame


def _ring(frame: Square, row: int, column: int, reach: int, dark: tuple[int, ...]) -> None:
    for down, right in product(range(-reach, reach + 1), repeat=2):
        if 0 <= row + down < len(frame) and 0 <= column + right < len(frame):
            frame[row + down][column + right] = int(max(abs(down), abs(right)) in dark)


def _checked(value: int, degree: int, divisor: int) -> int:
    """The value with the remainder of its division behind it (BCH)."""
    rest = value
    for _ in range(degree):
        rest = (rest << 1) ^ ((rest >> (degree - 1)) * divisor)
    return value << degree | rest


def _show_version(frame: Square, version: int) -> None:
    bits, side = _checked(version, 12, 0x1F25), len(frame)
    for at in range(18):
        row, column = at // 3, side - 11 + at % 3
        frame[row][column] = frame[column][row] = bits >> at & 1


def _show_format(frame: Square, mask: int) -> None:
    bits, side = _checked(_LEVEL_M << 3 | mask, 10, 0x537) ^ 0x5412, len(frame)
    beside = [(row, 8) for row in (0, 1, 2, 3, 4, 5, 7, 8)] + [(8, column) for column in (7, 5, 4, 3, 2, 1, 0)]
    away = [(8, side - 1 - at) for at in range(8)] + [(side - 15 + at, 8) for at in range(8, 15)]
    for at in range(15):
        for row, column in (beside[at], away[at]):
            frame[row][column] = bits >> at & 1
    frame[side - 8][8] = 1


def _masked(frame: Square, bits: list[int], mask: int) -> list[list[int]]:
    square, waiting, turns = [list(row) for row in frame], iter(bits), _MASKS[mask]
    for row, column in _way(len(frame)):
        if frame[row][column] is None:
            square[row][column] = next(waiting, 0) ^ turns(row, column)
    _show_format(square, mask)
    return [[int(bool(field)) for field in row] for row in square]


def _way(side: int) -> Iterator[tuple[int, int]]:
    """Two columns at a time from the right, upwards and downwards in turn, around the column of the timing."""
    upwards = True
    for right in (*range(side - 1, _TIMING, -2), *range(_TIMING - 1, 0, -2)):
        for row in range(side - 1, -1, -1) if upwards else range(side):
            yield row, right
            yield row, right - 1
        upwards = not upwards


def _penalty(square: list[list[int]]) -> int:
    """How hard a scanner would find it."""
    side, total = len(square), 0
    for line in (*square, *([row[column] for row in square] for column in range(side))):
        total += sum(max(0, length - 2) for length in (len(list(run)) for _, run in groupby(line)) if length > 4)  # noqa: PLR2004 - as the standard counts
        text = "".join(map(str, line))
        total += 40 * sum(text[at : at + 11] in _LIKE_A_FINDER for at in range(side - 10))
    for row, column in product(range(side - 1), repeat=2):
        total += 3 * (len({*square[row][column : column + 2], *square[row + 1][column : column + 2]}) == 1)
    dark = sum(map(sum, square)) * 20 // (side * side)
    return total + 10 * abs(dark - 10)
