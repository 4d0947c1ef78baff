"""A p-value for a test that had several looks."""

from collections.abc import Sequence

from experiments.stats.core.spending import OBRIEN_FLEMING, Look, Spending
from experiments.stats.sequential.group_sequential.boundaries import critical_values
from experiments.stats.sequential.group_sequential.design import stopping_probabilities


def stagewise_p_value(looks: Sequence[Look], z: float, alpha: float, *, spending: Spending = OBRIEN_FLEMING) -> float:
    """One-sided p-value of a z seen at the last of the looks, having stopped at none before.

    Earlier stops count as stronger evidence: P(stopped at an earlier look) + P(got here, and z or more).
    Below alpha exactly when z is beyond the critical value.
    Reference: Fairbanks and Madsen, P values for tests using a repeated significance test design (Biometrika 1982).

    Raises:
        InvalidArgument: `alpha-range`, `fraction-range`.
        InvalidEvidence: `information-range`, `information-shrank`.

    >>> looks = [Look(0.5, 0.5), Look(1.0, 1.0)]
    >>> round(stagewise_p_value(looks, 1.9686, 0.025), 4)
    0.025
    """
    critical = critical_values(looks, alpha, spending=spending)
    seen = [*critical[:-1].tolist(), z]
    return float(stopping_probabilities([look.information for look in looks], seen)[0].sum())
