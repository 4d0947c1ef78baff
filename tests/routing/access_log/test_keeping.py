"""Which requests outside of experiments become rows."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.access_log import to_row
from routing.access_log.keeping import is_kept
from tests.factories.log_lines import make_line

KEY = b"k" * 32
OUTSIDE = {"experiment": None, "variant": None, "stage": None}
USERS = 2_000


def row(facts: dict[str, Any], unit: str | None = "alice", request: str = "r") -> dict[str, Any]:
    return to_row(make_line(facts, unit=unit, request_id=request), "local", KEY)


def kept_of(percent: float, units: list[str | None]) -> list[bool]:
    facts = OUTSIDE | {"kept": int(percent * 100)}
    return [is_kept(row(facts, unit, f"r{number}")) for number, unit in enumerate(units)]


@pytest.mark.parametrize("percent", [1.0, 10.0, 50.0, 90.0])
def test_the_share_of_users_is_that_which_was_set(percent: float) -> None:
    kept = sum(kept_of(percent, [f"user-{number}" for number in range(USERS)]))

    share = percent / 100
    assert abs(kept - USERS * share) < 4 * (USERS * share * (1 - share)) ** 0.5


@given(unit=st.text("abcdef", min_size=1), percent=st.floats(0, 100))
def test_a_user_is_kept_whole_or_not_at_all(unit: str, percent: float) -> None:
    assert len(set(kept_of(percent, [unit] * 5))) == 1


@given(unit=st.text("abcdef", min_size=1), percent=st.floats(0, 99))
def test_who_is_kept_at_a_share_is_kept_at_a_larger_one(unit: str, percent: float) -> None:
    assert kept_of(percent, [unit]) <= kept_of(percent + 1, [unit])


def test_requests_without_a_user_are_kept_by_the_share_too() -> None:
    counts = Counter(kept_of(25, [None] * USERS))

    assert abs(counts[True] - USERS / 4) < 4 * (USERS * 0.25 * 0.75) ** 0.5


@pytest.mark.parametrize(
    "facts", [{}, OUTSIDE | {"held_out": True}, {"shadow": True}], ids=["measured", "held out", "a shadow's"]
)
def test_what_an_experiment_needs_is_kept_at_no_per_cent(facts: dict[str, Any]) -> None:
    found = row({"kept": 0, **facts})

    assert (is_kept(found), found["kept_share"]) == (True, None)


def test_all_is_kept_where_nothing_is_said() -> None:
    found = row(OUTSIDE)

    assert (is_kept(found), found["kept_share"]) == (True, None)


def test_a_row_says_what_share_was_kept() -> None:
    assert row(OUTSIDE | {"kept": 2_500})["kept_share"] == 0.25
