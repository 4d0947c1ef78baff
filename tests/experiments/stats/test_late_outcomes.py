"""What is said of outcomes that come later in one arm, too seldom, or not any more, and what it sets aside."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.stats.core.types import Evidence, Severity, UnitSums
from experiments.stats.health.late import OutcomeTiming, Silence, late_outcomes

pytestmark = pytest.mark.slow

ONE = UnitSums(1, 1.0, 1.0, 1.0, 1.0, 1.0)


def scores(low: float, high: float, users: int = 400, *, seed: int = 1) -> UnitSums:
    """One outcome of each user, with scores spread evenly between two bounds."""
    return UnitSums.of(np.random.default_rng(seed).uniform(low, high, users))


ALIKE = {"control": scores(0.0, 1.0), "new": scores(0.0, 1.0, seed=2)}
APART = {"control": scores(0.0, 0.7), "new": scores(0.3, 1.0)}
COUNTS = {"label": {"control": 400, "new": 400}}
REQUESTS = {"control": 1000, "new": 1000}
USUAL = OutcomeTiming(60.0, stated=False, outcomes=COUNTS, delays=ALIKE, lately=ALIKE)


def codes(timing: OutcomeTiming) -> list[str]:
    return [found.code for found in late_outcomes({"accuracy": timing}, REQUESTS, "control").findings()]


def test_delays_that_are_alike_are_nothing_to_speak_of() -> None:
    late = late_outcomes({"accuracy": USUAL}, REQUESTS, "control")
    assert (late.findings(), dict(late.reasons)) == ((), {})


def test_later_outcomes_of_one_arm_block_and_set_the_metric_aside() -> None:
    late = late_outcomes({"accuracy": replace(USUAL, delays=APART, lately=APART)}, REQUESTS, "control")
    [found] = late.findings()
    assert (found.code, found.severity, found.subject) == ("late-outcomes", Severity.BLOCKS_PROMOTION, "new")
    assert found.detail == "Outcomes label come later to requests of new than to those of control."
    assert "state a settling time" in found.next_step
    evidence = Evidence(REQUESTS, {(m, arm): ONE for m in ("accuracy", "errors") for arm in REQUESTS})
    assert set(late.without(evidence).sums) == set(evidence.sums) - {("accuracy", "new")}


def test_a_model_that_is_rated_a_little_later_is_no_trouble() -> None:
    """10 % slower, and surely so among 100,000: 52 of 100 pairs; the settling time allows for that."""
    rng = np.random.default_rng(6)
    delays = np.concatenate([rng.exponential(1.0, 100_000), rng.exponential(1.1, 100_000)])
    ranks = delays.argsort().argsort() / delays.size
    slightly = {"control": UnitSums.of(ranks[:100_000]), "new": UnitSums.of(ranks[100_000:])}
    assert codes(replace(USUAL, delays=slightly, lately=slightly)) == []


def test_it_is_over_when_the_newest_outcomes_are_alike_again() -> None:
    assert codes(replace(USUAL, delays=APART, lately=ALIKE)) == []


def test_metrics_of_the_same_outcomes_say_it_once() -> None:
    timing = replace(USUAL, delays=APART, lately=APART)
    late = late_outcomes({"accuracy": timing, "recall": timing}, REQUESTS, "control")
    assert len(late.findings()) == 1
    assert set(late.reasons) == {("accuracy", "new"), ("recall", "new")}


def test_with_a_stated_time_shares_in_time_are_compared() -> None:
    in_time = {"control": UnitSums.of([1.0] * 380 + [0.0] * 20), "new": UnitSums.of([1.0] * 200 + [0.0] * 200)}
    timing = replace(USUAL, stated=True, delays=in_time, lately=in_time)
    [found] = late_outcomes({"accuracy": timing}, REQUESTS, "control").findings()
    assert found.detail == "50.0% of the outcomes label of new come within 60 s, and 95.0% of those of control."


@pytest.mark.parametrize(("few", "said"), [(0, ["absent-outcomes"]), (29, ["absent-outcomes"]), (30, [])])
def test_hardly_any_outcomes_beside_many_block(few: int, said: list[str]) -> None:
    assert codes(replace(USUAL, outcomes={"label": {"control": 400, "new": few}})) == said


def test_few_outcomes_beside_some_are_waited_for_without_a_word() -> None:
    late = late_outcomes(
        {"accuracy": replace(USUAL, outcomes={"label": {"control": 25, "new": 5}})}, REQUESTS, "control"
    )
    assert late.findings() == ()
    assert list(late.reasons) == [("accuracy", "new")]


def test_a_stated_time_takes_no_outcomes_for_none() -> None:
    timing = replace(USUAL, stated=True, outcomes={"label": {"control": 400, "new": 0}})
    late = late_outcomes({"accuracy": timing}, REQUESTS, "control")
    assert (late.findings(), dict(late.reasons)) == ((), {})


def test_a_labeller_that_stopped_is_told_of() -> None:
    """400 outcomes to 1000 requests, and then none to 100 of which 40 should have one."""
    timing = replace(USUAL, silences={"label": {"new": Silence(1000, 100)}})
    [found] = late_outcomes({"accuracy": timing}, REQUESTS, "control").findings()
    assert (found.code, found.severity) == ("outcomes-stopped", Severity.BLOCKS_PROMOTION)
    assert found.detail == "None of the latest 100 requests of new has got label; about 40 should have."
    assert codes(replace(USUAL, silences={"label": {"new": Silence(1000, 40)}})) == []


def test_labels_that_are_missing_in_one_arm_set_what_is_over_labels_aside() -> None:
    answers = {"control": UnitSums.of([1.0] * 490 + [0.0] * 10), "new": UnitSums.of([1.0] * 380 + [0.0] * 120)}
    late = late_outcomes({"accuracy": replace(USUAL, answers=answers)}, REQUESTS, "control")
    assert [found.code for found in late.findings()] == ["missing-outcomes"]
    assert list(late.reasons) == [("accuracy", "new")]


def test_a_metric_that_cannot_be_checked_hides_no_other() -> None:
    broken = replace(USUAL, delays={"control": replace(ONE, sum_y=float("nan")), "new": ONE})
    late = late_outcomes({"one": broken, "two": replace(USUAL, delays=APART, lately=APART)}, REQUESTS, "control")
    assert sorted(found.code for found in late.findings()) == ["late-outcomes", "not-checked"]


def test_equal_delays_are_rarely_called_different_however_often_one_looks() -> None:
    """300 experiments of 10 looks: at 1 in 1000, more than 3 findings have a chance below 0.0003."""
    rng, said = np.random.default_rng(7), 0
    for _ in range(300):
        ranks = rng.random((2, 1000))
        said += any(
            codes(replace(USUAL, delays=sums, lately=sums))
            for users in range(100, 1001, 100)
            if (sums := {"control": UnitSums.of(ranks[0, :users]), "new": UnitSums.of(ranks[1, :users])})
        )
    assert said <= 3
