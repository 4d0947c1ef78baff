"""Sample ratio, events and the halt against gbstats, savvi and independent derivations."""

import math

import numpy as np
import pytest

from experiments.stats.health.sample_ratio import chi_square_p_value, log_e_value
from experiments.stats.sequential import anytime
from experiments.stats.sequential.events import ratio_log_e, share_log_e
from tests.experiments.stats.references import Inputs, Ours, Reference, compare, references


def chi_square(inputs: Inputs) -> Ours:
    return {"p": chi_square_p_value(inputs["counts"], inputs["weights"])}


def sequential(inputs: Inputs) -> Ours:
    log_e = log_e_value(inputs["counts"], inputs["theta0"], concentration=inputs["k"])
    chi2_p = chi_square_p_value(inputs["counts"], inputs["theta0"])
    return {"log_e": log_e, "p": math.exp(-max(log_e, 0.0)), "chi2_p": chi2_p}


def share_of_events(inputs: Inputs) -> Ours:
    return {"log_e": share_log_e(inputs["events_t"], inputs["events_c"], inputs["rho"])}


def ramp(inputs: Inputs) -> Ours:
    return {"log_e": ratio_log_e(inputs["events_t"], inputs["events_c"], inputs["rho"])}


def mean_of_e_values(inputs: Inputs) -> Ours:
    mean = math.exp(float(anytime.averaged(np.log(inputs["e"]), weights=np.array(inputs["weights"]))))
    alone = np.max(inputs["e"]) >= len(inputs["e"]) / inputs["alpha"]
    return {"mean_e": mean, "halt": mean >= 1 / inputs["alpha"], "bonferroni_halt": alone}


@pytest.mark.parametrize("case", references("srm"))
def test_agrees_with_the_reference(case: Reference) -> None:
    compare(
        case,
        {
            "srm.chi2": chi_square,
            "srm.seq": sequential,
            "err.share": share_of_events,
            "err.ramp": ramp,
            "halt.eavg": mean_of_e_values,
        },
    )
