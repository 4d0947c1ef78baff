"""Conditions on headers, as people write them and as they are met."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.table import Condition, Operator, meets, parse_condition

WORDS = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    operator = draw(st.sampled_from(Operator))
    takes_values = operator not in (Operator.PRESENT, Operator.ABSENT)
    values = draw(st.lists(WORDS, min_size=1, max_size=3)) if takes_values else []
    return Condition(f"x-{draw(WORDS).lower()}", operator, tuple(values))


@given(conditions())
def test_what_is_written_is_read_again(condition: Condition) -> None:
    assert parse_condition(str(condition)) == condition


@pytest.mark.parametrize("text", ["", "x-a", "x-a is", "x-a is ,", "x-a is present yes", "x a is b", "x-a = b", "is b"])
def test_what_is_no_condition_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a condition|needs"):
        parse_condition(text)


@pytest.mark.parametrize(
    ("text", "value", "met"),
    [
        ("x-a is b, c", "b", True),
        ("x-a is b, c", "c", True),
        ("x-a is b, c", "B", False),
        ("x-a is b", None, False),
        ("x-a is not b", "c", True),
        ("x-a is not b", "b", False),
        ("x-a is not b", None, True),
        ("x-a starts with b, cd", "cde", True),
        ("x-a starts with b", "ab", False),
        ("x-a contains b", "abc", True),
        ("x-a contains b", None, False),
        ("x-a is present", "", True),
        ("x-a is present", None, False),
        ("x-a is absent", None, True),
        ("x-a is absent", "b", False),
    ],
)
def test_when_it_is_met(text: str, value: str | None, met: bool) -> None:
    assert meets(parse_condition(text), {} if value is None else {"x-a": value}) is met


def test_names_of_headers_have_no_case() -> None:
    assert parse_condition("X-Country is DE").header == "x-country"
