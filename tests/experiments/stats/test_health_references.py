"""Sample ratio against the rows of other products' own tests, and what their check cannot see."""

from typing import Any

import numpy as np
import pytest
from scipy import special

from experiments.stats.health import HealthEvidence, Stage, check_health
from experiments.stats.health.sample_ratio import MISMATCH_LOG_E, chi_square_p_value
from experiments.stats.health.shares import stages_log_e
from tests.experiments.stats.references import Inputs, shared

ROWS = 12


def stage_of(case: Inputs) -> Stage:
    """A row as a stage; its weights need not sum to 1."""
    weights = np.array(case["weights"], dtype=np.float64)
    names = [f"arm-{place}" for place in range(weights.size)]
    shares = dict(zip(names, (weights / weights.sum()).tolist(), strict=True))
    return Stage("all", shares, dict(zip(names, case["observed"], strict=True)))


def row(number: int) -> Any:
    cases = shared("srm_cases")["cases"]
    assert len(cases) == ROWS
    return cases[number]


@pytest.mark.parametrize("number", range(ROWS - 1))
def test_agrees_with_the_rows_of_others(number: int) -> None:
    case = row(number)
    stage = stage_of(case)
    p_value = chi_square_p_value(list(stage.units.values()), list(stage.shares.values()))
    assert p_value == pytest.approx(case["gbstats_p"], rel=1e-9)
    # The e-value, which may be looked at any time, flags the same rows as their one look at .001.
    assert (stages_log_e([stage]) >= MISMATCH_LOG_E) == (case["gbstats_p"] < 0.001)
    codes = [found.code for found in check_health(HealthEvidence("arm-0", (stage,)))]
    assert codes == (["sample-ratio"] if case["gbstats_p"] < 0.001 else [])


def growthbook_p_value(observed: list[int], weights: list[float]) -> float:
    """GrowthBook's chi-square: weight 0 has no term in the sum, but counts in the total and the degrees of freedom."""
    expected = sum(observed) * np.array(weights)
    terms = [(n - e) ** 2 / e for n, e in zip(observed, expected, strict=True) if e]
    return float(special.chdtrc(len(observed) - 1, sum(terms)))


def test_units_in_an_arm_of_weight_zero_are_a_leak() -> None:
    """GrowthBook's check missed this: 100 units in an arm of weight 0 gave p = .61.

    It skips the arm in the sum of the chi-square, so its units add nothing, but keeps them in the total, and the arm in
    the degrees of freedom, which only raises the p-value. Here the leak has a finding of its own.
    """
    case = row(ROWS - 1)
    assert growthbook_p_value(case["observed"], case["weights"]) == pytest.approx(case["gbstats_p"], rel=1e-9)
    assert case["gbstats_p"] > 0.5
    findings = check_health(HealthEvidence("arm-0", (stage_of(case),)))
    assert [(found.code, found.subject) for found in findings] == [("leak", "arm-2")]


def test_a_leak_is_found_without_the_shared_rows() -> None:
    """The same gap of GrowthBook's check, as a case of our own: 40 units where none may be, in otherwise even arms."""
    stage = Stage("half", {"control": 0.5, "new": 0.5, "retired": 0.0}, {"control": 2000, "new": 2000, "retired": 40})
    assert growthbook_p_value([2000, 2000, 40], [0.5, 0.5, 0.0]) > 0.5
    findings = check_health(HealthEvidence("control", (stage,)))
    assert [(found.code, found.subject) for found in findings] == [("leak", "retired")]


def test_a_holdout_in_the_list_raises_nothing() -> None:
    """A holdout is listed with weight 0 and has no units; GrowthBook raised a mismatch for it every time."""
    stage = Stage("half", {"control": 0.5, "new": 0.5, "holdout": 0.0}, {"control": 5030, "new": 4970, "holdout": 0})
    absent = Stage("half", stage.shares, {"control": 5030, "new": 4970})
    assert check_health(HealthEvidence("control", (stage,))) == ()
    assert check_health(HealthEvidence("control", (absent,))) == ()
    assert stages_log_e([stage]) == stages_log_e([Stage("half", {"control": 0.5, "new": 0.5}, absent.units)])
