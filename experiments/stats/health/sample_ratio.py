"""Sample ratio: whether units arrive in the shares that were set."""

import math
import sys
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from experiments.stats.core.errors import InvalidEvidence, InvalidPlan, require
from experiments.stats.core.types import SampleRatio

CONCENTRATION = 1000.0
"""How close to the set shares the alternative looks: deviations of some per cent are found soonest."""

MISMATCH_LOG_E = math.log(1000.0)
MIXTURES = 100
CERTAIN = math.log(sys.float_info.max)
"""Log e-value of what the plan makes impossible, kept finite so that it can be stored."""


def sample_ratio(shares: Mapping[str, float], units: Mapping[str, int]) -> SampleRatio:
    """Compare observed units with the shares that were set; a variant without a share must have no units.

    A mismatch is an e-value of 1000 or more, valid at every look; the p-value holds for a single look.

    Raises:
        InvalidPlan: `shares-sum`, shares are negative or do not sum to 1.
        InvalidEvidence: `units-negative`.

    >>> sample_ratio({"control": 0.5, "new": 0.5}, {"control": 5300, "new": 4700}).mismatch
    True
    """
    check_shares(shares)
    expected = {variant: shares.get(variant, 0.0) for variant in (*shares, *(v for v in units if v not in shares))}
    observed = {variant: units.get(variant, 0) for variant in expected}
    negative = [variant for variant, count in observed.items() if count < 0]
    require(not negative, lambda: _negative_units(negative))
    if any(observed[variant] and not share for variant, share in expected.items()):
        return SampleRatio(expected, observed, 0.0, CERTAIN, mismatch=True)
    served = [variant for variant, share in expected.items() if share]
    counts = np.array([observed[variant] for variant in served], dtype=np.float64)
    weights = np.array([expected[variant] for variant in served], dtype=np.float64)
    log_e = log_e_value(counts, weights)
    return SampleRatio(expected, observed, chi_square_p_value(counts, weights), log_e, log_e >= MISMATCH_LOG_E)


def chi_square_p_value(counts: ArrayLike, shares: ArrayLike) -> float:
    """Pearson's p-value for one look: P(chi²_{K-1} ≥ Σ (n_k - n θ_k)² / (n θ_k)); 1 without units.

    Reference: Fabijan et al., Diagnosing sample ratio mismatch (KDD 2019).

    >>> round(chi_square_p_value([5100, 4900], [0.5, 0.5]), 6)
    0.0455
    """
    counts, shares = np.asarray(counts, dtype=np.float64), np.asarray(shares, dtype=np.float64)
    expected = counts.sum() * shares
    if counts.sum() == 0.0 or counts.size < 2:
        return 1.0
    with np.errstate(over="ignore"):
        return float(special.chdtrc(counts.size - 1, np.sum((counts - expected) ** 2 / expected)))


def log_e_value(counts: ArrayLike, shares: ArrayLike, *, concentration: float = CONCENTRATION) -> float:
    """Log e-value against the set shares θ: log B(kθ + n) - log B(kθ) - Σ n_k log θ_k.

    A Dirichlet(kθ) mixture of multinomials over the set one: a martingale, so it may be looked at after every unit.
    Assumes that each unit is assigned independently.
    Reference: Lindon and Malek, Anytime-valid inference for multinomial count data (NeurIPS 2022).

    >>> round(log_e_value([5400, 5000], [0.5, 0.5], concentration=100), 6)
    5.292161
    """
    counts, shares = np.asarray(counts, dtype=np.float64), np.asarray(shares, dtype=np.float64)
    prior = concentration * shares
    total = special.gammaln(concentration) - special.gammaln(concentration + counts.sum())
    return float(total + np.sum(special.gammaln(prior + counts) - special.gammaln(prior) - counts * np.log(shares)))


def likeliest_shares(stages: Sequence[Mapping[str, float]], units: Mapping[str, int]) -> Mapping[str, float]:
    """The shares that explain counts best, of those that were set on each stage, in order, and of mixtures of two.

    Units of all stages together come in shares between those of neighbouring stages, as whole buckets round them. The
    hypothesis is all of these: its e-value is the least that one of them has, which is that of the likeliest.

    >>> stages = [{"control": 0.8, "new": 0.2}, {"control": 0.75, "new": 0.25}]
    >>> round(likeliest_shares(stages, {"control": 77, "new": 23})["new"], 9)
    0.23
    """
    variants = list(stages[0])
    counts = np.array([units.get(variant, 0) for variant in variants], dtype=np.float64)
    vectors = np.array([[stage[variant] for variant in variants] for stage in stages], dtype=np.float64)
    towards = np.linspace(0.0, 1.0, MIXTURES + 1)[:, None, None]
    mixed = (vectors[:-1] + towards * np.diff(vectors, axis=0)).reshape(-1, len(variants))
    choices = np.concatenate([vectors[-1:], mixed])
    likeliest = choices[int(np.argmax(special.xlogy(counts, choices).sum(axis=1)))]
    return dict(zip(variants, likeliest.tolist(), strict=True))


def check_shares(shares: Mapping[str, float]) -> None:
    """Raise InvalidPlan `shares-sum` unless shares are at least 0 and sum to 1."""
    sound = all(math.isfinite(share) and share >= 0.0 for share in shares.values())
    require(
        sound and math.isclose(sum(shares.values()), 1.0, abs_tol=1e-9),
        lambda: InvalidPlan(
            "shares-sum",
            f"The shares {dict(shares)} are not a split of all units.",
            next_step="Give each variant a share of 0 or more, together 1.",
        ),
    )


def _negative_units(variants: list[str]) -> InvalidEvidence:
    return InvalidEvidence(
        "units-negative",
        f"The count of units is negative for {', '.join(variants)}.",
        next_step="Count the distinct units again.",
    )
