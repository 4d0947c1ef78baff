"""Pairs of answers to the same requests against R, scipy and statsmodels."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy import optimize, stats

from experiments.stats.shadow.paired import agreement, discordance_log_e, paired_difference
from tests.experiments.stats.references import Inputs, Ours, Reference, compare, data, references
from tests.experiments.stats.samples import Values


def column(name: str) -> list[float]:
    return [pair[name] for pair in data()["pairs"]]


def clustered(inputs: Inputs) -> Ours:
    assert inputs["dataset"] == "pairs"
    units = column("user")
    contrast = paired_difference(column("a"), column("b"), units)
    count, pairs = len(set(units)), len(units)
    # K/(K-1), as ours; R's correction also has (n-1)/(n-k), and CR0 has none.
    uncorrected = contrast.standard_error * np.sqrt((count - 1) / count)
    assert pairs == 120
    return {"est": contrast.difference, "se_CR1": contrast.standard_error, "se_CR0": uncorrected}


def as_independent(inputs: Inputs) -> Ours:
    """A unit a pair is the paired t-test, which takes all requests for independent."""
    contrast = paired_difference(column(inputs["a"]), column(inputs["b"]), range(120))
    found = stats.ttest_rel(column(inputs["b"]), column(inputs["a"]))
    half = stats.t.ppf(0.975, contrast.degrees) * contrast.standard_error
    return {
        "diff": contrast.difference,
        "t": contrast.z,
        "p": found.pvalue,
        "lo": contrast.difference - half,
        "hi": contrast.difference + half,
    }


def mcnemar(inputs: Inputs) -> Ours:
    (both, only_first), (only_second, neither) = inputs["table"]
    first = [1] * (both + only_first) + [0] * (only_second + neither)
    second = [1] * both + [0] * only_first + [1] * only_second + [0] * neither
    found = agreement(first, second)
    gap, unlike = abs(only_first - only_second), only_first + only_second
    return {
        "exact": found.p_value,
        "kappa": found.kappa,
        # The approximations that the exact test makes needless.
        "chi2": stats.chi2.sf(gap**2 / unlike, 1),
        "chi2_cc": stats.chi2.sf((gap - 1) ** 2 / unlike, 1),
    }


def signs(inputs: Inputs) -> Ours:
    slower = int(np.sum(np.array(column("lat_b")) > np.array(column("lat_a"))))
    return {"k": slower, "n": 120, "p": stats.binomtest(slower, 120).pvalue}


def where_it_turns(statistic: Callable[[float], float], values: Sequence[float] | Values) -> float:
    """Where a falling step function of the shift crosses zero."""
    return float(optimize.brentq(statistic, float(np.min(values)) - 1, float(np.max(values)) + 1, xtol=1e-9))


def signed_rank(inputs: Inputs) -> Ours:
    """Shifts that Wilcoxon's signed-rank test would accept, with R's normal approximation."""
    differences = np.array(column(inputs["b"])) - np.array(column(inputs["a"]))

    def score(shift: float, correction: float) -> float:
        moved = differences - shift
        ranks = stats.rankdata(np.abs(moved))
        ties = np.unique(ranks, return_counts=True)[1].astype(np.float64)
        centred = ranks[moved > 0].sum() - moved.size * (moved.size + 1) / 4
        variance = moved.size * (moved.size + 1) * (2 * moved.size + 1) / 24 - np.sum(ties**3 - ties) / 48
        return float((centred - correction * np.sign(centred)) / np.sqrt(variance))

    found = stats.wilcoxon(differences, method="approx", correction=True)
    return {
        "p": found.pvalue,
        "hl": np.median(np.add.outer(differences, differences)[np.triu_indices(differences.size)]) / 2,
        "lo": where_it_turns(lambda shift: score(shift, 0.5) - 1.959963984540054, differences),
        "hi": where_it_turns(lambda shift: score(shift, 0.5) + 1.959963984540054, differences),
    }


def rank_sum(inputs: Inputs) -> Ours:
    """What Kayenta does: Mann-Whitney and the Hodges-Lehmann shift of requests taken for independent."""
    control, treatment = (
        np.array([row["latency_ms"] for row in data()["requests"] if row["arm"] == arm])
        for arm in ("control", "treatment")
    )

    def score(shift: float, correction: float) -> float:
        ranks = stats.rankdata(np.concatenate([treatment - shift, control]))
        n, m = treatment.size, control.size
        centred = ranks[:n].sum() - n * (n + 1) / 2 - n * m / 2
        ties = np.unique(ranks, return_counts=True)[1].astype(np.float64)
        variance = n * m / 12 * (n + m + 1 - np.sum(ties**3 - ties) / ((n + m) * (n + m - 1)))
        return float((centred - correction * np.sign(centred)) / np.sqrt(variance))

    found = stats.mannwhitneyu(treatment, control, method="asymptotic")
    spread = np.concatenate([treatment, -control, control, -treatment])
    return {
        "W": found.statistic,
        "p": found.pvalue,
        "hl": where_it_turns(lambda shift: score(shift, 0.0), spread),
        "lo": where_it_turns(lambda shift: score(shift, 0.5) - 1.959963984540054, spread),
        "hi": where_it_turns(lambda shift: score(shift, 0.5) + 1.959963984540054, spread),
    }


@pytest.mark.parametrize("case", references("paired"))
def test_agrees_with_the_reference(case: Reference) -> None:
    compare(
        case,
        {
            "pair.t": as_independent,
            "pair.cluster": clustered,
            "pair.mcnemar": mcnemar,
            "pair.wilcoxon": signed_rank,
            "pair.sign": signs,
            "pair.evalue": lambda inputs: {"log_e": discordance_log_e(inputs["b"], inputs["c"])},
            "rank.hl": rank_sum,
        },
    )
