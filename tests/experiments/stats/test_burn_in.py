"""When the evidence of harm begins to speak: at 20 events, and later where arms of unlike sizes would skew them."""

import numpy as np
import pytest
from scipy import stats

from experiments.stats.core.types import (
    Direction,
    Evidence,
    JudgePlan,
    MarginKind,
    MetricPlan,
    MetricType,
    Role,
    UnitSums,
)
from experiments.stats.judging.gather import gather
from experiments.stats.judging.harm import is_burnt_in

ERRORS = MetricPlan(
    "errors", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, 0.005, MarginKind.ABSOLUTE, counts_events=True
)
MOST_SKEWED = 1.0 / np.sqrt(20.0)


def speaks(failed: int, *, candidate: int, control: int) -> bool:
    """With one request a user, and all failures of the candidate's."""
    sums = {
        ("errors", "new"): UnitSums(candidate, failed, candidate, failed, candidate, failed),
        ("errors", "control"): UnitSums(control, 0, control, 0, control, 0),
    }
    plan = JudgePlan((ERRORS,), "control", {"control": 0.5, "new": 0.5})
    evidence = Evidence({"control": control, "new": candidate}, sums)
    with np.errstate(all="ignore"):
        return bool(is_burnt_in(plan, gather(plan, evidence))[0])


def test_arms_of_one_size_wait_for_twenty_events_in_all() -> None:
    assert not speaks(19, candidate=5_000, control=5_000)
    assert speaks(20, candidate=5_000, control=5_000)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.2, 0.8, 0.95])
def test_unlike_arms_wait_until_the_split_of_events_is_hardly_skewed(share: float) -> None:
    """By the skewness of a binomial count, as scipy has it."""
    units = 100_000
    candidate = round(units * share)
    fewest = next(
        events for events in range(20, units) if abs(stats.binom(events, share).stats("s")) <= MOST_SKEWED * (1 + 1e-12)
    )
    assert not speaks(fewest - 1, candidate=candidate, control=units - candidate)
    assert speaks(fewest, candidate=candidate, control=units - candidate)
