"""A few users who fail with all their requests, among users who send one request or thousands."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.stats.core.types import (
    Evidence,
    PastLooks,
    UnitSums,
    Verdict,
)
from experiments.stats.judging.judge import judge
from tests.experiments.stats.samples import ERRORS, plan

pytestmark = pytest.mark.slow

MARGIN = 0.01
FAILED_REQUESTS = replace(ERRORS, margin=MARGIN, counts_events=True)
RUNS = 200
USERS = 3000


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_a_candidate_at_its_margin_passes_as_rarely_as_is_promised(sigma: float) -> None:
    """Each of its users fails with all requests or with none, so that one in a hundred requests fails."""
    rng = np.random.default_rng(11)
    passed = sum(_passes(rng, sigma) for _ in range(RUNS))

    # Of 5 % promised, with four standard errors of so few runs.
    assert passed / RUNS <= 0.05 + 4.0 * np.sqrt(0.05 * 0.95 / RUNS)


def _passes(rng: np.random.Generator, sigma: float) -> bool:
    sound, ours = (np.ceil(rng.lognormal(1.0, sigma, USERS)) for _ in range(2))
    failed = ours * (rng.random(USERS) < MARGIN)
    sums = {("errors", "control"): UnitSums.of(np.zeros(USERS), sound), ("errors", "new"): UnitSums.of(failed, ours)}
    seen = Evidence({"control": USERS, "new": USERS}, sums)
    return judge(plan(FAILED_REQUESTS), seen, looks=PastLooks(last=True)).metrics[0].verdict is Verdict.PASS


def test_variants_that_are_alike_are_not_said_to_be_worse_for_a_few_heavy_users() -> None:
    """Four of a thousand users are programs with 150 requests each, of which half fail wholly, in both variants."""
    rng = np.random.default_rng(12)
    said = sum(_is_said_to_be_worse(rng) for _ in range(RUNS))

    # Of 5 % at one look, with four standard errors of so few runs.
    assert said / RUNS <= 0.05 + 4.0 * np.sqrt(0.05 * 0.95 / RUNS)


def _is_said_to_be_worse(rng: np.random.Generator) -> bool:
    units = USERS - 1000
    sums = {}
    for variant in ("control", "new"):
        heavy = rng.random(units) < 0.004
        requests = np.where(heavy, 150.0, rng.geometric(1.0 / 3.0, units))
        sums["errors", variant] = UnitSums.of(requests * (heavy & (rng.random(units) < 0.5)), requests)
    seen = Evidence({"control": units, "new": units}, sums)
    return judge(plan(FAILED_REQUESTS), seen, looks=PastLooks(last=True)).metrics[0].verdict is Verdict.FAIL
