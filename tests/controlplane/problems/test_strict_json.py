"""JSON of others: what is read, and what is refused by the name of its place."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.problems.errors import InvalidInput
from controlplane.problems.strict_json import read_json

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
NUMBERS = st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
def test_what_json_is_for_is_read_as_it_is(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        assert read_json(text) == value
        assert read_json(text.encode()) == value


def test_pairs_of_surrogates_are_one_character() -> None:
    assert read_json(r'"\ud83d\ude00"') == "\U0001f600"


def test_minus_nothing_stays() -> None:
    assert math.copysign(1, read_json("-0.0")) == -1


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b'"\xed\xa0\x80"', b"[1,]", b"nan", b"'a'", b'{"a" 1}', b'"\x01"', b"[" * 200_000]
)
def test_what_is_no_json_is_said_so(content: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_json(content)
    assert caught.value.code == "unreadable-body"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("1e999", "body"),
        ('[0, {"a": [NaN]}]', "1.a.0"),
        ('{"plan": {"metrics": [{"margin": Infinity}]}}', "plan.metrics.0.margin"),
        ('{"a": {"b": "\\ud800"}}', "a.b"),
        ('{"a": {"b\\u0000": 1}}', "a"),
        ('{"a": 18446744073709551616}', "a"),
        ('{"a": ' + "1" * 100_000 + "}", "a"),
        (json.dumps({"a": {f"k{number}": 1 for number in range(1001)}}), "a"),
    ],
)
def test_the_place_of_what_cannot_be_used_is_named(text: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_json(text)
    assert (caught.value.code, [problem.field for problem in caught.value.problems]) == ("invalid-input", [field])


def test_every_such_place_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_json('{"a": NaN, "b": [1e999, 1], "c": "\\u0000"}')
    assert [problem.field for problem in caught.value.problems] == ["a", "b.0", "c"]
    assert caught.value.detail.startswith("3 fields are not usable: a: ")


def test_many_short_lists_are_too_much_together() -> None:
    fits, more = (json.dumps([[0] * 999] * count) for count in (100, 101))
    assert len(read_json(fits)) == 100
    with pytest.raises(InvalidInput) as caught:
        read_json(more)
    assert "more than 100000 values" in caught.value.detail
