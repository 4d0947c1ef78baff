"""Names for the arrays that statistics work on, and what rounding leaves in them."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ROUNDING = 2.0 * float(np.finfo(np.float64).eps)
"""Adding up n terms one by one may be off by n such parts of the sum of their sizes, and never is by more."""


def beyond_rounding(difference: Floats, *, size: Floats, terms: Floats) -> Floats:
    """A difference of sums over so many terms, or zero where rounding may be all there is of it.

    `size` is what the sums would add up to if none were subtracted. Sums of squares of equal values leave a little
    more or less than nothing, and a variance of 10⁻³⁰ looks like information beyond all measure.
    Reference: Higham, Accuracy and Stability of Numerical Algorithms (2002), section 4.2.

    >>> beyond_rounding(np.array([1e-17, 1e-9]), size=np.ones(2), terms=np.full(2, 100.0)).tolist()
    [0.0, 1e-09]
    """
    return np.where(difference > ROUNDING * terms * size, difference, 0.0)
