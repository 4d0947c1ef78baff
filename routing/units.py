"""The keyed hash that stands for a user everywhere behind the edge and the API."""

from hashlib import blake2b

HASH_BYTES = 8


def unit_hash(key: bytes, unit: str) -> int:
    """Signed 64-bit keyed hash of a unit id; without the key nobody can tell whose it is.

    BLAKE2b with an 8-byte digest, read big endian. `key` has at most 64 bytes.

    Raises:
        ValueError: the key is longer than 64 bytes.

    """
    digest = blake2b(unit.encode(), key=key, digest_size=HASH_BYTES).digest()
    return int.from_bytes(digest, "big", signed=True)
