"""How far two distributions over the same bins are apart, and how far by chance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats
from scipy.spatial import distance

from experiments.stats.core.arrays import Floats
from experiments.stats.core.errors import InvalidEvidence, require
from experiments.stats.core.types import Interval
from experiments.stats.health.findings import check_alpha

SMOOTHING = 0.5
"""Units added to each bin, so that an empty bin has a finite logarithm."""

REPLICATES = 1000


@dataclass(frozen=True, slots=True)
class Distances:
    """Distances of the present from the reference, all in nats (`jensen_shannon` is the square root of nats).

    `divergence_from_reference` is Kullback and Leibler's of the present from the reference, Σ q log(q/p) with p the
    reference; `divergence_from_present` is the other way round, and the stability index is their sum.
    """

    stability_index: float
    divergence_from_reference: float
    divergence_from_present: float
    jensen_shannon: float


def smoothed(counts: ArrayLike) -> Floats:
    """Shares of the bins on the last axis, with half a unit more in each.

    >>> smoothed([0, 3]).tolist()
    [0.125, 0.875]
    """
    raised = np.asarray(counts, dtype=np.float64) + SMOOTHING
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), dtype=np.float64)


def stability_index(reference: ArrayLike, present: ArrayLike) -> Floats:
    """Population stability index Σ (q - p) log(q / p) of shares on the last axis.

    Reference: Yurdakul and Naranjo, Statistical properties of the population stability index (J. Risk Model
    Validation 2020).

    >>> round(float(stability_index([0.5, 0.5], [0.6, 0.4])), 6)
    0.040547
    """
    reference, present = np.asarray(reference, dtype=np.float64), np.asarray(present, dtype=np.float64)
    forth, back = stats.entropy(present, reference, axis=-1), stats.entropy(reference, present, axis=-1)
    return np.asarray(forth + back, dtype=np.float64)


def jensen_shannon(reference: ArrayLike, present: ArrayLike, *, base: float | None = None) -> Floats:
    """Jensen and Shannon's distance of shares on the last axis, 0 to sqrt(log 2), or to 1 with base 2.

    Reference: Endres and Schindelin, A new metric for probability distributions (IEEE Trans. Inf. Theory 2003).

    >>> round(float(jensen_shannon([0.5, 0.5], [0.6, 0.4])), 6)
    0.071129
    """
    reference, present = np.asarray(reference, dtype=np.float64), np.asarray(present, dtype=np.float64)
    return np.asarray(distance.jensenshannon(reference, present, base=base, axis=-1), dtype=np.float64)


def distances(reference: ArrayLike, present: ArrayLike) -> Distances:
    """All distances between the shares of bins in the reference and in the present.

    Raises:
        InvalidEvidence: `bins-differ`, `shares-not-positive`.

    >>> apart = distances([0.5, 0.5], [0.6, 0.4])
    >>> round(apart.divergence_from_reference, 6), round(apart.divergence_from_present, 6)
    (0.020136, 0.020411)
    """
    reference, present = np.asarray(reference, dtype=np.float64), np.asarray(present, dtype=np.float64)
    require(reference.shape == present.shape and reference.ndim == 1, lambda: _evidence("bins-differ"))
    positive = bool(np.all((reference > 0.0) & (present > 0.0) & np.isfinite(reference) & np.isfinite(present)))
    require(positive, lambda: _evidence("shares-not-positive"))
    return Distances(
        stability_index=float(stability_index(reference, present)),
        divergence_from_reference=float(stats.entropy(present, reference)),
        divergence_from_present=float(stats.entropy(reference, present)),
        jensen_shannon=float(jensen_shannon(reference, present)),
    )


def critical_stability_index(
    bins: ArrayLike, reference_units: ArrayLike, present_units: ArrayLike, *, alpha: float = 0.05
) -> Floats:
    """The stability index that two samples of one distribution exceed with probability alpha.

    χ²_{B-1, 1-alpha} (1/n + 1/m), for independent units and bins with some units each. The customary limits of .10 and
    .25 know nothing of n and m: with few units they are exceeded by chance, with many hardly ever.
    Reference: Yurdakul and Naranjo (2020).

    Raises:
        InvalidArgument: `alpha-range`.

    >>> round(float(critical_stability_index(10, 1000, 1000)), 6)
    0.033838
    """
    check_alpha(alpha)
    bins, n, m = (np.asarray(each, dtype=np.float64) for each in (bins, reference_units, present_units))
    return np.asarray(special.chdtri(bins - 1.0, alpha) * (1.0 / n + 1.0 / m), dtype=np.float64)


def distance_intervals(
    reference: ArrayLike, present: ArrayLike, *, alpha: float = 0.05, seed: int = 0, replicates: int = REPLICATES
) -> tuple[Interval, Interval]:
    """Intervals of the stability index and of Jensen and Shannon's distance, from counts of units by bin.

    The basic bootstrap over units: with one request of each unit, drawing units anew is drawing counts from a
    multinomial. Both distances of two samples of one distribution lie above 0, and those of replicates lie twice as far
    above; so [2 θ - upper quantile, 2 θ - lower quantile], cut at 0, takes the excess off, where quantiles of
    replicates would double it.
    Reference: Davison and Hinkley, Bootstrap Methods and their Application (1997), section 5.2.

    Raises:
        InvalidArgument: `alpha-range`.

    >>> index, _ = distance_intervals([500, 300, 200], [300, 300, 400])
    >>> index.low > 0.1
    True
    """
    check_alpha(alpha)
    reference, present = np.asarray(reference, dtype=np.float64), np.asarray(present, dtype=np.float64)
    rng = np.random.default_rng(seed)
    drawn = smoothed(_drawn(rng, reference, replicates)), smoothed(_drawn(rng, present, replicates))
    found = smoothed(reference), smoothed(present)
    return (
        _basic(stability_index(*found), stability_index(*drawn), alpha),
        _basic(jensen_shannon(*found), jensen_shannon(*drawn), alpha),
    )


def _drawn(rng: np.random.Generator, counts: Floats, replicates: int) -> Floats:
    return rng.multinomial(int(counts.sum()), counts / counts.sum(), size=replicates).astype(np.float64)


def _basic(found: Floats, drawn: Floats, alpha: float) -> Interval:
    low, high = 2.0 * found - np.quantile(drawn, [1.0 - alpha / 2.0, alpha / 2.0])
    return Interval(max(float(low), 0.0), max(float(high), 0.0))


def _evidence(code: str) -> InvalidEvidence:
    detail = "The shares of the bins of reference and present cannot be compared."
    return InvalidEvidence(code, detail, next_step="Give as many positive shares for one as for the other.")
