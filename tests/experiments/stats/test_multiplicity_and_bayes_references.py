"""Many hypotheses and second readings against statsmodels, R and GrowthBook."""

import pytest
from statsmodels.stats.multitest import multipletests

from experiments.stats.core.bayes import Prior, chance_to_beat, posterior
from experiments.stats.core.multiplicity import benjamini_hochberg, e_benjamini_hochberg, holm
from tests.experiments.stats import peers
from tests.experiments.stats.references import Inputs, Ours, Reference, compare, references


def others(inputs: Inputs) -> Ours:
    """Adjustments that we do not offer: Holm's asks for no independence, and is nearly as strong."""
    return {"adjusted": multipletests(inputs["p"], alpha=inputs["alpha"], method=inputs["method"])[1]}


def lift(inputs: Inputs) -> Ours:
    effect = peers.growthbook_relative_proportions(inputs)
    held = inputs["prior"]
    reading = posterior(
        effect["est"], effect["se"], Prior(held["mean"], held["var"]) if held else None, alpha=inputs["alpha"]
    )
    return {
        "chance_to_win": reading.chance_to_beat,
        "mean": reading.mean,
        "sd": reading.standard_deviation,
        "ci_lo": reading.interval.low,
        "ci_hi": reading.interval.high,
        "risk_control": reading.loss_of_control,
        "risk_treatment": reading.loss_of_candidate,
    }


def shares(inputs: Inputs) -> Ours:
    counts = (inputs[name] for name in ("alpha_b", "beta_b", "alpha_a", "beta_a"))
    return {"prob": chance_to_beat(*counts)}


@pytest.mark.parametrize("case", references("multiplicity") + references("bayes"))
def test_agrees_with_the_reference(case: Reference) -> None:
    compare(
        case,
        {
            "mt.": others,
            "ebh": lambda inputs: {"rejected": e_benjamini_hochberg(inputs["log_e"], inputs["alpha"]).sum()},
            "bayes.flat": lift,
            "bayes.n": lift,
            "bayes.bb": shares,
        },
    )


def test_ours_agree_with_statsmodels() -> None:
    p_values = [0.001, 0.008, 0.012, 0.02, 0.03, 0.041, 0.052, 0.2, 0.45, 0.9]
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])
    assert benjamini_hochberg(p_values) == pytest.approx(multipletests(p_values, method="fdr_bh")[1])
