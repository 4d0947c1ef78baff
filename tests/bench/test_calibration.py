"""A slice of `make calibrate`: the same rows from fewer runs, each within what so few can tell."""

import re
from datetime import date
from pathlib import Path

import pytest

from bench.calibration.__main__ import DRAWN, TOPICS, line, page, table, tables_of
from bench.calibration.adjusted import adjusted_means
from bench.calibration.always import always
from bench.calibration.brakes import doubled_errors_of_requests
from bench.calibration.candidates import candidates_at_the_margin, goals_without_an_effect, several_goals
from bench.calibration.clusters import quantile_coverage, resembling_requests
from bench.calibration.falling import falling
from bench.calibration.halting import doubled_errors, harmed_users, quiet_ramp, slow_candidate
from bench.calibration.harms import harms
from bench.calibration.heavy import one_heavy_user, signed_numerators, units_of_amounts
from bench.calibration.heavy_failures import failing_heavy_users
from bench.calibration.late_outcomes import late_alike, late_in_one_arm
from bench.calibration.later import cut_short, late_change, long_quiet, returning_users
from bench.calibration.looking import false_promotions, price
from bench.calibration.rare_values import rare_values
from bench.calibration.rows import Measure, Row, chance_at_most, chance_between, number_at_most
from bench.calibration.slow_answers import slow_answers
from bench.calibration.splits import splits
from bench.calibration.stage_power import stage_power
from bench.calibration.tails import rare_slow_answers
from bench.calibration.unlike_arms import unlike_arms
from bench.calibration.watching import correlated_guardrails, coverage, peeking, small_canary

pytestmark = pytest.mark.slow

RUNS: dict[Measure, int] = {
    peeking: 40,
    small_canary: 200,
    quiet_ramp: 20,
    correlated_guardrails: 300,
    coverage: 60,
    quantile_coverage: 600,
    resembling_requests: 400,
    false_promotions: 1000,
    price: 1,
    doubled_errors: 400,
    slow_candidate: 200,
    harmed_users: 400,
    always: 80,
    falling: 60,
    rare_values: 20,
    rare_slow_answers: 12,
    harms: 200,
    late_change: 40,
    long_quiet: 8,
    returning_users: 8,
    cut_short: 200,
    stage_power: 2000,
    splits: 300,
    candidates_at_the_margin: 60,
    unlike_arms: 40,
    goals_without_an_effect: 40,
    several_goals: 60,
    one_heavy_user: 250,
    failing_heavy_users: 20,
    signed_numerators: 100,
    units_of_amounts: 20,
    doubled_errors_of_requests: 12,
    slow_answers: 20,
    late_in_one_arm: 80,
    late_alike: 40,
    adjusted_means: 40,
}


def test_every_topic_shows_a_promise() -> None:
    """The page on statistics says for each promise which topics show it, and the other page has them."""
    docs = Path(__file__).parents[2] / "docs"
    linked = set(re.findall(r"calibration\.md#([a-z_]+)", (docs / "statistics.md").read_text()))
    assert linked == set(TOPICS) == set(tables_of((docs / "calibration.md").read_text()))


def test_every_row_has_its_slice() -> None:
    assert set(RUNS) == set(DRAWN)


@pytest.mark.parametrize("measure", list(RUNS), ids=lambda measure: measure.__name__)
def test_a_slice_of_the_table_holds(measure: Measure) -> None:
    missed = [line(row) for row in measure(RUNS[measure]) if not row.holds]
    assert missed == []


def test_a_promise_that_is_broken_is_seen() -> None:
    assert not chance_at_most("alarms", 0.05, 90, 1000).holds
    assert chance_at_most("alarms", 0.05, 60, 1000).holds
    assert not chance_between("coverage", 0.93, 0.97, 880, 1000).holds
    assert not number_at_most("users", 100.0, 131.0, runs=50, error=15.0).holds


def test_a_table_says_which_row_does_not_hold_and_when_that_was_measured() -> None:
    rows = [Row("one", "<= 1", "2", 10, 0.1, holds=False), Row("two", "<= 1", "1", 0, 0.0, holds=True)]
    text = table("peeking", rows, date(2026, 11, 28))
    assert "Measured on 2026-11-28." in text
    assert "| one | <= 1 | 2 | 10 | 0.1 | **no** |" in text
    assert "| two | <= 1 | 1 | exact |  | yes |" in text


def test_a_topic_that_is_measured_again_leaves_the_others_as_they_are() -> None:
    old = {name: table(name, [Row("one", "<= 1", "1", 0, 0.0, holds=True)], date(2026, 1, 1)) for name in TOPICS}
    new = table("splits", [Row("two", "<= 1", "1", 0, 0.0, holds=True)], date(2026, 2, 2))
    assert tables_of(page(old)) == old
    assert tables_of(page(tables_of(page(old)) | {"splits": new})) == {**old, "splits": new}
