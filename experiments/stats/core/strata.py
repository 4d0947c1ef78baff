"""Strata: parts of the evidence with one allocation each, as the epochs of a ramp whose shares change."""

import numpy as np

from experiments.stats.core.contrast import Contrast


def combined(contrast: Contrast) -> Contrast:
    """One contrast from those of all strata on the last axis: d = Σ I d / Σ I, information Σ I.

    A unit belongs to the stratum of its first exposure, and the allocation is constant within each; then a baseline
    that drifts while shares change biases nothing, where the pooled difference may even have the wrong sign (Simpson).
    Reference: Optimizely, Epoch Stats Engine; Cochran, Problems arising in the analysis of a series (JRSS Suppl. 1937).

    >>> two = Contrast(np.array([1.0, 3.0]), np.array([1.0, 0.5]), np.array([np.inf, np.inf]))
    >>> float(combined(two).difference), round(float(combined(two).standard_error), 6)
    (2.6, 0.447214)
    """
    information = contrast.information
    total = information.sum(axis=-1)
    difference = (information * contrast.difference).sum(axis=-1) / total
    # Welch and Satterthwaite for the weighted sum: total² over Σ I² / degrees.
    spread = (information**2 / contrast.degrees).sum(axis=-1)
    degrees = np.divide(total**2, spread, out=np.full_like(total, np.inf), where=spread > 0.0)
    return Contrast(np.asarray(difference), np.asarray(total**-0.5), np.asarray(degrees))
