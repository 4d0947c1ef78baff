"""Tests that stay valid however often they are looked at: normal mixtures in information time.

Robbins (1970); Howard, Ramdas, McAuliffe & Sekhon (2021), arXiv 1810.08240; Waudby-Smith et al., asymptotic
confidence sequences, arXiv 2103.06476. Valid in the limit of many units; `tau` (metric's unit) is the size of effect
that the test is tuned to and must not be chosen by what was seen.
"""

import math

from scipy import optimize, special

from experiments.stats.contrast import Contrast
from experiments.stats.types import Interval


def log_e_two_sided(contrast: Contrast, tau: float) -> float:
    """Log of the e-value against d = 0: -½·log(1+r) + z²/2 · r/(1+r), with r = tau²·information.

    >>> round(log_e_two_sided(Contrast(d=3.0, s=1.0), tau=1.0), 6)
    1.903426
    """
    r = tau**2 * contrast.information
    return -0.5 * math.log1p(r) + contrast.z**2 / 2 * r / (1 + r)


def log_e_greater(contrast: Contrast, tau: float) -> float:
    """Log of the e-value against d <= 0, by the mixture over the positive half of the normal.

    log 2 - ½·log(1+r) + z²/2 · r/(1+r) + log Φ(z·sqrt(r/(1+r))), with r = tau²·information.
    """
    r = tau**2 * contrast.information
    shrunk = contrast.z * math.sqrt(r / (1 + r))
    return math.log(2) - 0.5 * math.log1p(r) + shrunk**2 / 2 + float(special.log_ndtr(shrunk))


def confidence_sequence(contrast: Contrast, tau: float, alpha: float) -> Interval:
    """Interval that holds the effect at all times at once with probability 1 - alpha.

    d ± s·sqrt((1+r)/r · (log(1+r) - 2·log alpha)).
    """
    r = tau**2 * contrast.information
    width = contrast.s * math.sqrt((1 + r) / r * (math.log1p(r) - 2 * math.log(alpha)))
    return Interval(contrast.d - width, contrast.d + width)


def critical_value_greater(r: float, alpha: float) -> float:
    """The z at which the one-sided e-value reaches 1/alpha at r = tau²·information."""

    def excess(z: float) -> float:
        return log_e_greater(Contrast(d=z, s=1.0), math.sqrt(r)) + math.log(alpha)

    return float(optimize.brentq(excess, -1.0, 100.0))
