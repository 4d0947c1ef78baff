"""The keyed hash that stands for a user."""

from hypothesis import given
from hypothesis import strategies as st

from routing.allocation.unit_identity import unit_hash

KEY = bytes.fromhex("00112233445566778899aabbccddeeff")


@given(st.text(), st.binary(min_size=16, max_size=64))
def test_a_hash_fits_a_signed_64_bit_column_and_is_stable(unit: str, key: bytes) -> None:
    assert -(2**63) <= unit_hash(key, unit) < 2**63
    assert unit_hash(key, unit) == unit_hash(key, unit)


@given(st.text(), st.text())
def test_different_units_differ(unit: str, other: str) -> None:
    assert (unit_hash(KEY, unit) == unit_hash(KEY, other)) == (unit == other)


def test_another_key_gives_another_hash() -> None:
    assert unit_hash(KEY, "ada") != unit_hash(KEY[::-1], "ada")


def test_the_hash_never_changes_between_releases() -> None:
    assert unit_hash(KEY, "ada") == -7113600670583120338
    assert unit_hash(KEY, "Zoë 😀") == 5144197672528376176
