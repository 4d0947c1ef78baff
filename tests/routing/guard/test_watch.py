"""When the guard takes a candidate out, and when it does not."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from routing.guard import Answered, Cut, Watch
from routing.guard.watch import CHANCE, exact_chance
from routing.table import Arm, Guard, Table
from tests.factories.tables import make_endpoint, make_experiment, make_table

pytestmark = pytest.mark.slow

EXPERIMENT = make_experiment(
    "canary", Arm("old", "stable", 0, 5_000), Arm("new", "candidate", 5_000, 10_000, guard_round=2)
)
TABLE = make_table(make_endpoint("chat", EXPERIMENT))


def outcome(time: float, variant: str, *, failed: bool, first_byte_ms: float | None = 10.0) -> Answered:
    return Answered(time, "canary", variant, failed, first_byte_ms, f"at {time}")


def first_cut(outcomes: Iterable[Answered], table: Table = TABLE) -> tuple[int, Cut] | None:
    """The number of the outcome that led to a cut, and the cut."""
    watch = Watch()
    for number, seen in enumerate(outcomes, start=1):
        cut = watch.see(seen, table)
        if cut is not None:
            return number, cut
    return None


def alternating(count: int, *, old_fails: bool, new_fails: bool) -> list[Answered]:
    """Both arms in turn, ten milliseconds apart."""
    return [
        outcome(n * 0.01, "new" if n % 2 else "old", failed=new_fails if n % 2 else old_fails) for n in range(count)
    ]


def test_a_candidate_that_fails_beside_a_sound_control_is_taken_out_with_its_counts() -> None:
    healthy = alternating(400, old_fails=False, new_fails=False)
    failing = [replace(seen, time=seen.time + 4) for seen in alternating(100, old_fails=False, new_fails=True)]

    found = first_cut([*healthy, *failing])

    assert found is not None
    number, cut = found
    assert number - len(healthy) <= 30
    assert (cut.experiment, cut.variant, cut.guard_round) == ("canary", "new", 2)
    assert (cut.requests, cut.control_requests, cut.control_failures) == (20, 20, 0)
    assert cut.failures == 15
    assert cut.time == failing[number - len(healthy) - 1].moment


@pytest.mark.parametrize(("guard", "candidates_share"), [(Guard(requests=10), 1), (Guard(), 4), (Guard(), 15)])
def test_few_requests_beside_as_few_of_the_control_do_not_keep_harm_in(guard: Guard, candidates_share: int) -> None:
    """Ten that fail beside ten that do not are one chance in 184 756, and twenty beside five one in 53 130."""
    arms = ["old", *["new"] * candidates_share]
    failing = [outcome(n * 0.001, arms[n % len(arms)], failed=arms[n % len(arms)] == "new") for n in range(1_000)]
    assert first_cut(failing, make_table(make_endpoint("chat", replace(EXPERIMENT, guard=guard)))) is not None


@pytest.mark.parametrize("guard", [Guard(requests=10), Guard(requests=200)])
def test_arms_that_fail_alike_are_let_be_however_many_are_counted(guard: Guard) -> None:
    failing = [outcome(n * 0.001, "new" if n % 2 else "old", failed=n % 7 != 0) for n in range(4_000)]
    assert first_cut(failing, make_table(make_endpoint("chat", replace(EXPERIMENT, guard=guard)))) is None


def test_a_cause_that_both_share_takes_nothing_out() -> None:
    assert first_cut(alternating(2_000, old_fails=True, new_fails=True)) is None


def test_a_control_that_fails_is_not_taken_out() -> None:
    assert first_cut(alternating(2_000, old_fails=True, new_fails=False)) is None


def test_without_a_control_in_the_window_the_counts_decide() -> None:
    found = first_cut(outcome(n * 0.01, "new", failed=True) for n in range(100))

    assert found is not None
    assert found[0] == 10


def test_failures_that_are_spread_out_take_nothing_out() -> None:
    assert first_cut(outcome(n * 1.0, "new", failed=True) for n in range(1_000)) is None


def test_answers_that_begin_too_late_are_failures_where_the_guard_says_so() -> None:
    late = [outcome(n * 0.01, "new", failed=False, first_byte_ms=900) for n in range(100)]
    strict = replace(EXPERIMENT, guard=Guard(first_byte_ms=500))

    assert first_cut(late) is None
    assert first_cut(late, make_table(make_endpoint("chat", strict))) is not None


@pytest.mark.parametrize("first_byte_ms", [1e-9, 5, 500])
def test_a_limit_that_every_answer_is_later_than_hides_no_failure(first_byte_ms: float) -> None:
    strict = replace(EXPERIMENT, guard=Guard(first_byte_ms=first_byte_ms))
    table = make_table(make_endpoint("chat", strict))
    assert first_cut(alternating(2_000, old_fails=False, new_fails=True), table) is not None
    assert first_cut(alternating(2_000, old_fails=False, new_fails=False), table) is None


def test_an_experiment_without_a_guard_is_let_be() -> None:
    unguarded = make_table(make_endpoint("chat", replace(EXPERIMENT, guard=None)))

    assert first_cut(alternating(2_000, old_fails=False, new_fails=True), unguarded) is None


def test_what_is_not_in_the_table_is_let_be() -> None:
    assert first_cut(alternating(2_000, old_fails=False, new_fails=True), make_table(make_endpoint("chat"))) is None


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3])
def test_equal_arms_are_not_taken_out(share: float) -> None:
    """With 200 000 requests each; the bound is that of one look in a million, and looks overlap."""
    random = np.random.default_rng(7)
    fails = random.random((200_000, 2)) < share
    watch = Watch()
    cuts = 0
    for number, (old, new) in enumerate(fails.tolist()):
        watch.see(outcome(number * 0.01, "old", failed=old), TABLE)
        cuts += watch.see(outcome(number * 0.01, "new", failed=new), TABLE) is not None
    assert cuts == 0


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_the_chance_is_that_of_fishers_exact_test(requests: int, other: int, data: st.DataObject) -> None:
    failures = data.draw(st.integers(0, requests))
    other_failures = data.draw(st.integers(0, other))

    chance = exact_chance(failures, requests, other_failures, other)

    table = [[failures, requests - failures], [other_failures, other - other_failures]]
    assert chance == pytest.approx(fisher_exact(np.array(table), alternative="greater").pvalue, rel=1e-9)


def test_fifteen_of_twenty_beside_none_are_needed() -> None:
    assert exact_chance(15, 20, 0, 20) <= CHANCE < exact_chance(14, 20, 0, 20)
