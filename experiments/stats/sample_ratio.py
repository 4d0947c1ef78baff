"""Whether units arrived in the shares that were set."""

import math
from collections.abc import Mapping

import numpy as np
from scipy import special, stats

from experiments.stats.types import SampleRatio

CONCENTRATION = 1000.0
EVIDENCE_THAT_FLAGS = 1000.0


def sample_ratio(expected: Mapping[str, float], units: Mapping[str, int]) -> SampleRatio:
    """Compare counts of units with the shares that were set.

    The p-value is Pearson's chi-square for one look. The e-value stays valid at every look: Dirichlet-multinomial
    log[B(k·θ + c) / B(k·θ)] - Σ c·log θ with k = 1000 (Lindon & Malek, arXiv 2011.03567); 1000 flags a mismatch.
    Assumes that units arrive independently. A unit in a variant that has no share is a mismatch at once.
    """
    observed = {variant: units.get(variant, 0) for variant in expected}
    stray = {variant: count for variant, count in units.items() if variant not in expected and count > 0}
    counts = np.array(list(observed.values()), dtype=float)
    shares = np.array(list(expected.values()), dtype=float)
    if stray:
        return SampleRatio(dict(expected), observed | stray, 0.0, math.inf, mismatch=True)
    if counts.sum() == 0:
        return SampleRatio(dict(expected), observed, 1.0, 0.0, mismatch=False)
    p_value = float(stats.chisquare(counts, counts.sum() * shares).pvalue)
    prior = CONCENTRATION * shares
    log_e = _log_beta(prior + counts) - _log_beta(prior) - float(counts @ np.log(shares))
    return SampleRatio(dict(expected), observed, p_value, log_e, mismatch=log_e >= math.log(EVIDENCE_THAT_FLAGS))


def _log_beta(parameters: "np.typing.NDArray[np.float64]") -> float:
    """Log of the multivariate beta function."""
    return float(special.gammaln(parameters).sum() - special.gammaln(parameters.sum()))
