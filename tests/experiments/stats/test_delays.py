"""When outcomes have had the time to come: the settling time from delays that are seen only once they are over."""

import numpy as np
import pytest

from experiments.stats.health.delays import Delays, delay_scores, settling_seconds, youngest

STEP = 2.0 ** (1 / 8)
"""Neighbours on the scale: what is measured is right up to it."""


def seen(now: float, mean: float, *, requests: int = 20_000, seed: int = 1) -> Delays:
    """What is seen now of requests since 0 with exponential delays: those outcomes that have come."""
    rng = np.random.default_rng(seed)
    asked, delay = rng.random(requests) * now, rng.exponential(mean, requests)
    come = asked + delay <= now
    return Delays.of((now - asked)[come], delay[come])


def test_the_time_is_that_in_which_99_of_100_outcomes_come() -> None:
    """The 99 % quantile of an exponential delay is ln(100) of its mean."""
    settling = settling_seconds([seen(10_000.0, 30.0)], 1.0, 10_000.0)
    assert settling is not None
    exact = 30.0 * np.log(100.0)
    assert exact / STEP**2 <= settling <= exact * STEP**2


def test_it_is_that_of_the_slowest_arm() -> None:
    arms = [seen(10_000.0, mean) for mean in (5.0, 50.0, 20.0)]
    assert settling_seconds(arms, 1.0, 10_000.0) == settling_seconds(arms[1:2], 1.0, 10_000.0)


@pytest.mark.parametrize("elapsed", [0.5, 1.0, 2.0, 4.0])
def test_delays_longer_than_half_the_time_are_not_taken_for_short_ones(elapsed: float) -> None:
    """All that is seen after one mean delay is shorter than that; it says nothing of those still to come."""
    assert settling_seconds([seen(100.0 * elapsed, 100.0)], 1.0, 100.0 * elapsed) is None


def test_outcomes_that_never_come_are_waited_for_by_nobody() -> None:
    """1 % of requests have a label, within seconds: the other 99 % change nothing."""
    labelled = seen(10_000.0, 2.0, requests=200)
    settling = settling_seconds([labelled], 1.0, 10_000.0)
    assert settling is not None
    assert settling < 20.0


def test_no_time_is_shorter_than_the_shortest() -> None:
    assert settling_seconds([seen(10_000.0, 1.0)], 30.0, 10_000.0) == 30.0


def test_without_outcomes_in_any_arm_it_is_half_of_the_time_there_was() -> None:
    none = Delays.of([], [])
    found = [settling_seconds([none, none], 30.0, oldest) for oldest in (10.0, 500.0, 1e6)]
    assert found == [30.0, 250.0, 3000.0]


def test_half_of_the_outcomes_may_come_at_once_and_half_of_them_late() -> None:
    """What comes in the first ticks looks complete; late ones are seen before any request counts."""
    rng = np.random.default_rng(5)
    found = []
    for now in (50.0, 110.0, 200.0, 215.0, 400.0):
        asked = rng.random(1000) * now
        delay = np.where(rng.random(1000) < 0.5, 1.0, 100.0)
        come = asked + delay <= now
        found.append(settling_seconds([Delays.of((now - asked)[come], delay[come])], 30.0, now))
    assert found[:4] == [None] * 4
    assert found[4] is not None
    assert found[4] >= 100.0


def test_an_arm_without_outcomes_beside_one_with_many_is_waited_for() -> None:
    arms = [seen(10_000.0, 1.0), Delays.of([], [])]
    assert settling_seconds(arms, 30.0, oldest=2000.0) is None
    assert settling_seconds(arms, 30.0, oldest=3001.0) == 30.0


def test_a_labeller_that_becomes_slower_is_noticed_though_it_was_fast_for_long() -> None:
    rng = np.random.default_rng(2)
    asked = rng.random(200_000) * 100_000.0
    delay = np.where(asked < 98_000.0, 1.0, 200.0)
    come = asked + delay <= 100_000.0
    settling = settling_seconds([Delays.of((100_000.0 - asked)[come], delay[come])], 30.0, 100_000.0)
    assert settling is not None
    assert settling >= 200.0


def test_requests_wait_for_the_newest_outcome_of_each_arm_but_not_for_ever() -> None:
    assert youngest(30.0, [1.0, 5.0]) == 30.0
    assert youngest(30.0, [1.0, 80.0]) == 80.0
    assert youngest(30.0, [1.0, 3001.0]) == 30.0


def test_scores_of_equal_delays_have_equal_means() -> None:
    """Mean ranks: over all outcomes they average ½, and so they do in each of two equal arms, up to chance."""
    arms = [seen(10_000.0, 30.0, seed=seed) for seed in (3, 4)]
    steps, scores = delay_scores(arms)
    means = [np.average(scores[np.searchsorted(steps, arm.delays)], weights=arm.counts) for arm in arms]
    total = np.average(means, weights=[arm.total for arm in arms])
    assert total == pytest.approx(0.5)
    # The mean of n ranks in (0, 1) has a standard error of (12 n)^-1/2.
    assert abs(means[0] - means[1]) < 4.0 * np.sqrt(2.0 / (12.0 * arms[0].total))
