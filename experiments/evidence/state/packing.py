"""Columns of whole numbers as bytes, each column as narrow as its numbers allow.

A form has a digit a column: so many bytes has each of its numbers. Those of one row lie beside one another.
"""

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from experiments.evidence.state.units import Whole

WIDTHS = (1, 2, 4, 8)


def form_of(columns: Whole) -> str:
    """The narrowest form that holds these columns."""
    highest = np.maximum(columns.max(axis=1, initial=0), -1 - columns.min(axis=1, initial=0)).tolist()
    return "".join(str(next(width for width in WIDTHS if each < 2 ** (8 * width - 1))) for each in highest)


@cache
def size_of(form: str) -> int:
    """Bytes of a row."""
    return sum(map(int, form))


def packed(columns: Whole, form: str, ends: Whole) -> Iterator[memoryview]:
    """The bytes of the rows up to each of these ends."""
    rows = np.empty(columns.shape[1], _layout(form))
    for number, column in enumerate(columns):
        rows[str(number)] = column
    content, size = memoryview(rows.tobytes()), size_of(form)
    begin = 0
    for end in (ends * size).tolist():
        yield content[begin:end]
        begin = end


def read_packed(parts: Sequence[bytes], forms: Sequence[str], count: int) -> Whole:
    """So many columns of all rows, in the order of parts, of which each has a form of its own."""
    alike = np.array(forms, np.str_)
    sizes = np.array([len(part) // size_of(form) for part, form in zip(parts, forms, strict=True)], np.int64)
    found = np.empty((count, int(sizes.sum())), np.int64)
    for form in set(forms):
        wanted = alike == form
        chosen = b"".join(part for part, is_wanted in zip(parts, wanted.tolist(), strict=True) if is_wanted)
        rows = np.frombuffer(chosen, _layout(form))
        places = np.repeat(wanted, sizes)
        for number in range(count):
            found[number, places] = rows[str(number)]
    return found


@cache
def _layout(form: str) -> np.dtype[np.void]:
    return np.dtype([(str(number), f"<i{width}") for number, width in enumerate(form)])
