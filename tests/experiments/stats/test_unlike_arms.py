"""Arms of unlike sizes: what the smaller one has not seen, or has seen too much of, makes no harm look small."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.contrast import lower_tail
from experiments.stats.core.types import Direction, MarginKind, MetricPlan, MetricType, Role
from experiments.stats.judging.cells import Cells, arrange
from experiments.stats.judging.looks import planned_information
from experiments.stats.judging.noninferiority import harm_contrast, look_contrast, observed_sign
from tests.experiments.stats.samples import plan

RUNS = 20_000
TWO_POINTS = MetricPlan("failed", MetricType.PROPORTION, Direction.DECREASE, Role.GUARDRAIL, 0.02, MarginKind.ABSOLUTE)
TWICE = replace(TWO_POINTS, margin=1.0, margin_kind=MarginKind.RELATIVE)


def _drawn(metric: MetricPlan, rates: tuple[float, float], users: tuple[int, int]) -> Cells:
    """Candidates and controls with these rates of failing users."""
    rng = np.random.default_rng(17)
    arms = []
    for rate, count in zip(rates, users, strict=True):
        failed, units = rng.binomial(count, rate, RUNS).astype(np.float64), np.full(RUNS, float(count))
        arms.append(SumsColumns(units, failed, units, failed, units, failed))
    return arrange([metric] * RUNS, ["new"] * RUNS, *arms)


@pytest.mark.parametrize(
    ("metric", "rates"), [(TWO_POINTS, (0.07, 0.05)), (TWICE, (0.06, 0.03))], ids=["two points", "twice the rate"]
)
@pytest.mark.parametrize("users", [(1000, 19_000), (19_000, 1000), (1000, 3000)])
@pytest.mark.parametrize("level", [0.05, 0.006])
def test_a_candidate_at_its_margin_passes_a_look_as_often_as_is_promised(
    metric: MetricPlan, rates: tuple[float, float], users: tuple[int, int], level: float
) -> None:
    cells = _drawn(metric, rates, users)
    p_value = lower_tail(harm_contrast(cells, observed_sign(cells), look_contrast))

    # Within three standard errors; the arms' own variances made it up to 1.2 and 1.9 times as often.
    assert np.mean(p_value < level) == pytest.approx(level, abs=3.0 * np.sqrt(level * (1.0 - level) / RUNS) + 0.0005)


def test_a_small_control_brings_no_more_information_when_it_flatters_the_candidate() -> None:
    cells = _drawn(TWICE, (0.06, 0.03), (19_000, 1000))
    contrast = harm_contrast(cells, observed_sign(cells), look_contrast)
    share = contrast.information / planned_information(plan(TWICE), cells)

    assert abs(np.corrcoef(share, contrast.z)[0, 1]) < 0.1
