"""A classifier is judged on real users by labels that arrive late."""

import math
from dataclasses import replace

import numpy as np
import pytest

from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.errors import StatisticsError
from experiments.stats.core.types import Direction, Evidence, MetricPlan, MetricType, Role, Verdict
from experiments.stats.judging.judge import judge
from experiments.stats.metrics import ratio
from experiments.stats.metrics.classification import MEASURES, Outcomes, outcomes
from tests.experiments.stats.samples import plan

F1 = MetricPlan("f1", MetricType.RATIO, Direction.INCREASE, Role.GUARDRAIL, margin=0.05)


def labelled(rng: np.random.Generator, users: int, recall: float, precision: float) -> Outcomes:
    """Labelled requests of users who send some each; a third are positive."""
    units = np.repeat(np.arange(users), rng.geometric(0.3, users))
    actual = rng.random(units.size) < 1 / 3
    called = np.where(actual, rng.random(units.size) < recall, False)
    false_alarm = recall / 3 * (1 - precision) / precision / (2 / 3)
    called |= ~actual & (rng.random(units.size) < false_alarm)
    return outcomes(actual, called, units, positive=True)


def test_a_model_whose_f1_falls_from_95_to_67_is_caught() -> None:
    """The paper's benchmark says 0.95; on 200 users of each arm the truth shows."""
    rng = np.random.default_rng(1)
    arms = {"control": labelled(rng, 200, 0.95, 0.95), "new": labelled(rng, 200, 0.67, 0.67)}
    sums = {("f1", name): arm.sums(MetricType.F1) for name, arm in arms.items()}
    results = judge(plan(F1), Evidence({"control": 200, "new": 200}, sums))
    assert results.metrics[0].control_value == pytest.approx(0.95, abs=0.03)
    assert results.metrics[0].variant_value == pytest.approx(0.67, abs=0.06)
    assert results.halt.blamed == (("f1", "new"),)


def test_an_equal_model_is_shown_to_be_no_worse() -> None:
    rng = np.random.default_rng(2)
    arms = {name: labelled(rng, 4000, 0.9, 0.9) for name in ("control", "new")}
    sums = {("f1", name): arm.sums(MetricType.F1) for name, arm in arms.items()}
    results = judge(replace(plan(F1), looks=1), Evidence({"control": 4000, "new": 4000}, sums))
    assert results.metrics[0].verdict is Verdict.PASS
    assert not results.halt.reached


def test_measures_are_what_their_names_say() -> None:
    arm = Outcomes(*(np.array([float(count)]) for count in (8, 2, 4, 6)))
    values = {}
    for measure in MEASURES:
        sums = arm.sums(measure)
        values[measure] = sums.sum_y / sums.sum_d
    precision, recall = 0.8, 8 / 12
    assert values[MetricType.PRECISION] == precision
    assert values[MetricType.RECALL] == recall
    assert values[MetricType.F1] == pytest.approx(2 * precision * recall / (precision + recall))
    assert values[MetricType.ACCURACY] == 0.7


@pytest.mark.parametrize("measure", MEASURES)
def test_intervals_cover_although_users_repeat(measure: MetricType) -> None:
    rng = np.random.default_rng(3)
    truth = {
        MetricType.ACCURACY: 1 - (0.1 / 3 + 2 / 3 * 0.9 / 3 * 0.1 / 0.9 / (2 / 3)),
        MetricType.PRECISION: 0.9,
        MetricType.RECALL: 0.9,
        MetricType.F1: 0.9,
    }[measure]
    runs, covered = 400, 0
    for _ in range(runs):
        arm = ratio.estimate(SumsColumns.of([labelled(rng, 300, 0.9, 0.9).sums(measure)]))
        error = math.sqrt(arm.variance[0] / arm.units[0])
        covered += abs(arm.value[0] - truth) < 1.96 * error
    assert covered / runs == pytest.approx(0.95, abs=0.01 + 4 * math.sqrt(0.05 * 0.95 / runs))


def test_users_without_anything_to_count_are_left_out() -> None:
    arm = outcomes(["no", "yes"], ["no", "yes"], [1, 2], positive="yes")
    assert arm.sums(MetricType.RECALL).units == 1
    assert arm.sums(MetricType.ACCURACY).units == 2


def test_labels_that_do_not_fit_have_a_name() -> None:
    codes = []
    missing = float("nan")
    for actual, called, units in (([1], [1, 0], [1]), ([], [], []), ([1, missing], [1, 0], [1, 2])):
        with pytest.raises(StatisticsError) as error:
            outcomes(actual, called, units)
        codes.append(error.value.code)
    assert codes == ["labels-lengths", "labels-none", "labels-missing"]
