"""Sums of products of whole numbers that no 64 bits hold, and numbers packed as narrow as they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csc_array

from experiments.evidence.state.packing import form_of, packed, read_packed
from experiments.evidence.state.products import exact_sums
from experiments.evidence.state.units import LARGEST_TOTAL, UnitSteps

TOTALS = st.integers(-LARGEST_TOTAL, LARGEST_TOTAL) | st.integers(-3, 3)
ROWS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from([1, -1]), TOTALS, TOTALS), max_size=8)


@given(ROWS)
def test_they_are_those_of_numbers_of_any_size(rows: list[tuple[int, int, int, int]]) -> None:
    places, signs, first, second = np.array(rows, np.int64).reshape(-1, 4).T
    weights = csc_array((signs, (places, np.arange(len(rows)))), shape=(3, len(rows)))
    expected = [sum(sign * one * other for place, sign, one, other in rows if place == wanted) for wanted in range(3)]
    assert exact_sums(weights, first, second) == expected


@given(st.lists(st.lists(st.tuples(TOTALS, TOTALS), max_size=4), max_size=6))
def test_what_was_packed_is_read_again_whatever_forms_lie_beside(parts: list[list[tuple[int, int]]]) -> None:
    contents, forms = [], []
    for part in parts:
        columns = np.array(part, np.int64).reshape(-1, 2).T
        forms.append(form_of(columns))
        contents += [bytes(each) for each in packed(columns, forms[-1], np.array([len(part)]))]
    assert read_packed(contents, forms, 2).T.tolist() == [list(row) for part in parts for row in part]


@pytest.mark.parametrize(("number", "width"), [(127, "1"), (128, "2"), (-128, "1"), (-129, "2"), (2**31, "8")])
def test_a_number_takes_no_more_bytes_than_it_needs(number: int, width: str) -> None:
    assert form_of(np.array([[number]])) == width


def test_a_total_that_may_overflow_later_is_refused() -> None:
    units, one = np.array([7]), np.array([0])
    nothing = UnitSteps.absent(units, 0, 1)
    wholes = np.zeros((0, 1), np.int64)
    came = UnitSteps(units, one, one, one, one, wholes, one, one, np.array([[LARGEST_TOTAL]]))
    with pytest.raises(OverflowError, match="total"):
        nothing.with_more(came).with_more(came)
