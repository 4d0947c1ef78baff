"""Planned looks: alpha is spent as information comes in, and what is spent is spent.

A look is decided on by the clock or by the information in hand, never by the effect that is seen. Each look spends a
part of alpha, and its critical value follows from what was spent before (Lan and DeMets, Discrete sequential
boundaries for clinical trials, Biometrika 1983).
"""

from experiments.stats.sequential.group_sequential.boundaries import (
    critical_values,
    first_critical_values,
    next_critical_value,
)
from experiments.stats.sequential.group_sequential.design import Design, design
from experiments.stats.sequential.group_sequential.stagewise import stagewise_p_value

__all__ = [
    "Design",
    "critical_values",
    "design",
    "first_critical_values",
    "next_critical_value",
    "stagewise_p_value",
]
