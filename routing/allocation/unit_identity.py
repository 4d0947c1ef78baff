"""One identity a user: how a unit is written everywhere, and the keyed hash that stands for it behind edge and API."""

import re
from hashlib import blake2b

HASH_BYTES = 8
LONGEST_UNIT = 1000
"""Bytes in UTF-8."""

# Those of HTTP and JSON; other blanks of Unicode are a part of a name.
BLANKS = " \t\r\n\v\f"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class NoUnitError(ValueError):
    """A text that is no unit; the message says why, to whoever sent it."""


def canonical_unit(text: str) -> str:
    """The unit that a text stands for; `routing/envoy/identity` does the same to requests at the edge.

    Raises:
        NoUnitError: nothing but blanks, control characters, half a character, or more than 1000 bytes.

    >>> canonical_unit(" Zoë ")
    'Zoë'
    """
    unit = text.strip(BLANKS)
    if not unit:
        raise NoUnitError("It is empty.")
    if _CONTROL.search(unit):
        raise NoUnitError("It holds control characters.")
    try:
        length = len(unit.encode())
    except UnicodeEncodeError:
        raise NoUnitError("It holds half of a surrogate pair, which is not Unicode.") from None
    if length > LONGEST_UNIT:
        raise NoUnitError(f"It has {length} bytes in UTF-8; at most {LONGEST_UNIT} are allowed.")
    return unit


def unit_hash(key: bytes, unit: str) -> int:
    """Signed 64-bit keyed hash of a canonical unit; without the key nobody can tell whose it is.

    BLAKE2b with an 8-byte digest, read big endian. `key` has at most 64 bytes.

    Raises:
        ValueError: the key is longer than 64 bytes.

    """
    digest = blake2b(unit.encode(), key=key, digest_size=HASH_BYTES).digest()
    return int.from_bytes(digest, "big", signed=True)
