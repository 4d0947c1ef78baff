"""Metrics that are adjusted by what users did before, as judged: compared with an analysis of covariance."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.stats.adjust.covariate import CovariateSums
from experiments.stats.adjust.of_arms import Adjustments, adjustments
from experiments.stats.core.types import (
    Direction,
    Evidence,
    JudgePlan,
    MetricPlan,
    MetricResult,
    MetricType,
    Role,
    UnitSums,
)
from experiments.stats.judging.judge import judge

Values = NDArray[np.float64]
Arms = Mapping[str, tuple[Values, Values]]
COST = MetricPlan("cost", MetricType.MEAN, Direction.DECREASE, Role.GUARDRAIL, margin=0.1)
USERS = 600


def drawn(*names: str, correlation: float = 0.8, seed: int = 1) -> Arms:
    """Values after and before of so many users of each arm."""
    rng = np.random.default_rng(seed)
    found = {}
    for place, name in enumerate(names):
        before = rng.normal(10.0, 2.0, USERS)
        own = rng.normal(0.0, 2.0 * np.sqrt(1.0 - correlation**2), USERS)
        found[name] = (10.0 + 0.1 * place + correlation * (before - 10.0) + own, before)
    return found


def judged(arms: Arms, adjusted: Adjustments, metric: MetricPlan = COST) -> list[MetricResult]:
    plan = JudgePlan((metric,), "control", dict.fromkeys(arms, 1.0 / len(arms)))
    sums = {("cost", name): UnitSums.of(after) for name, (after, _) in arms.items()}
    return list(judge(plan, adjusted.applied(Evidence(dict.fromkeys(arms, USERS), sums))).metrics)


def adjusted_by_past(arms: Arms) -> Adjustments:
    covariates = {name: CovariateSums.of(after, before) for name, (after, before) in arms.items()}
    return adjustments({"cost": covariates}, "control")


def of_covariance(arms: Arms) -> dict[str, tuple[float, float]]:
    """Effect and its standard error of each candidate, by ordinary least squares on dummies and the past."""
    from statsmodels.regression.linear_model import OLS

    candidates = [name for name in arms if name != "control"]
    after, before = (np.concatenate([arm[side] for arm in arms.values()]) for side in (0, 1))
    of_arm = np.repeat(list(arms), USERS)
    design = np.column_stack([np.ones_like(after), before, *((of_arm == name).astype(float) for name in candidates)])
    fit = OLS(after, design).fit()
    return {name: (float(fit.params[2 + at]), float(fit.bse[2 + at])) for at, name in enumerate(candidates)}


@pytest.mark.parametrize("names", [("control", "new"), ("control", "new", "other", "third")])
def test_effects_and_intervals_are_those_of_an_analysis_of_covariance(names: tuple[str, ...]) -> None:
    arms = drawn(*names)
    expected = of_covariance(arms)
    for found in judged(arms, adjusted_by_past(arms)):
        effect, error = expected[found.variant]
        assert found.effect == pytest.approx(effect, rel=1e-9)
        assert found.interval is not None
        assert (found.interval.high - found.interval.low) / 2 / 1.962 == pytest.approx(error, rel=0.05)
        assert found.variance_removed == pytest.approx(0.64, abs=0.06)


def test_what_is_tested_has_the_information_of_the_adjusted_effect() -> None:
    arms = drawn("control", "new")
    [plain], [adjusted] = judged(arms, Adjustments()), judged(arms, adjusted_by_past(arms))
    assert plain.information is not None
    assert adjusted.information is not None
    assert adjusted.information / plain.information == pytest.approx(1.0 / (1.0 - 0.64), rel=0.15)
    assert plain.variance_removed is None


def test_a_wide_margin_counts_what_is_not_known_of_the_past_of_all() -> None:
    """Of m_T - 1.5 m_C half of theta times the mean past remains, which is not known either."""
    z = []
    for seed in range(400):
        arms = dict(drawn("control", "new", correlation=0.97, seed=seed))
        after, before = arms["new"]
        arms["new"] = (after - 0.1 + 5.0, before)
        wide = MetricPlan("cost", MetricType.MEAN, Direction.DECREASE, Role.GUARDRAIL, margin=0.5)
        [found] = judged(arms, adjusted_by_past(arms), wide)
        assert found.information is not None
        assert found.variant_value is not None
        assert found.control_value is not None
        z.append((found.variant_value - 1.5 * found.control_value) * np.sqrt(found.information))
    assert np.std(z) == pytest.approx(1.0, abs=0.1)


def test_relative_intervals_and_margins_agree() -> None:
    """A margin is just rejected where it is an end of the interval of one look."""
    arms = drawn("control", "new", correlation=0.97)
    [found] = judged(arms, adjusted_by_past(arms))
    assert found.relative_interval is not None
    margin = MetricPlan(
        "cost", MetricType.MEAN, Direction.DECREASE, Role.GUARDRAIL, margin=found.relative_interval.high
    )
    [at_end] = judged(arms, adjusted_by_past(arms), margin)
    assert at_end.p_value == pytest.approx(0.025, rel=1e-4)


def test_arms_that_differed_before_are_left_as_measured_and_it_is_said() -> None:
    arms = dict(drawn("control", "new"))
    after, before = arms["new"]
    arms["new"] = (after, before + 1.0)
    found = adjusted_by_past(arms)
    assert found.found == {}
    [plain] = judged(arms, found)
    assert plain.variance_removed is None
    assert "differed before the exposure" in found.refused["cost"]


def test_an_arm_without_users_leaves_all_as_measured() -> None:
    arms = drawn("control")
    assert adjusted_by_past(arms).refused == {"cost": "No users of both the control and a candidate are known yet."}
