"""Rare events: from which arm did each one come? Exact, with no normal approximation."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from experiments.stats.core.arrays import Floats

RISK_RATIOS = np.array([1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0])
"""How many times the accepted rate the mixture looks for, with equal weights."""


def ratio_log_e(events_t: ArrayLike, events_c: ArrayLike, share: ArrayLike, *, accepted: ArrayLike = 1.0) -> Floats:
    """Running log e-values against "the candidate's rate is at most `accepted` times the control's".

    Batches stand on the last axis: events of both arms, and `share`, the candidate's part of the units that were first
    seen in the batch. If the hypothesis holds, an event comes from the candidate with probability
    ρ = share · accepted / (share · accepted + 1 - share) at the most, so for each risk ratio R with
    p = ρ R / (1 - ρ + ρ R) the product of (p/ρ)^events_t ((1-p)/(1-ρ))^events_c over batches is a supermartingale, and
    so is the mean over R. It survives any change of the allocation between batches.
    Assumes at most one event a unit. Exact for Poisson events, on the safe side for Bernoulli ones.
    Reference: Lindon and Malek, Anytime-valid inference for multinomial count data (NeurIPS 2022); ter Schure et al.,
    The anytime-valid logrank test (arXiv 2011.06931).

    >>> ratio_log_e([1, 5, 10], [95, 95, 90], [0.01, 0.05, 0.1]).round(6).tolist()
    [-0.632929, -1.109961, -1.4395]
    """
    events_t, events_c, share, accepted = (
        np.asarray(each, dtype=np.float64)[..., np.newaxis] for each in (events_t, events_c, share, accepted)
    )
    null = share * accepted / (share * accepted + 1.0 - share)
    scale = 1.0 - null + null * RISK_RATIOS
    gains = events_t * np.log(RISK_RATIOS / scale) - events_c * np.log(scale)
    running = np.cumsum(gains, axis=-2) if gains.ndim > 1 else gains
    return np.asarray(np.logaddexp.reduce(running, axis=-1) - np.log(RISK_RATIOS.size), dtype=np.float64)


def share_log_e(events_t: ArrayLike, events_c: ArrayLike, share: float) -> Floats:
    """Log e-value against "the candidate's part of all events is at most its share of units", share constant.

    log B(1+s, 1+t) - s log ρ - t log(1-ρ), with the uniform mixture cut to p above ρ.
    Reference: Lindon and Malek (2022), section 4.

    >>> round(float(share_log_e(12, 88, 0.1)), 6)
    -2.428248
    """
    events_t, events_c = np.asarray(events_t, dtype=np.float64), np.asarray(events_c, dtype=np.float64)
    above = np.log(special.betaincc(1.0 + events_t, 1.0 + events_c, share)) - np.log1p(-share)
    null = events_t * np.log(share) + events_c * np.log1p(-share)
    return np.asarray(special.betaln(1.0 + events_t, 1.0 + events_c) + above - null, dtype=np.float64)
