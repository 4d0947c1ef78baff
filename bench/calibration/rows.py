"""A row of the table: a property, its target, and what was measured."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measured property. `error` is the Monte-Carlo standard error of `ours`, 0 where nothing was drawn."""

    property: str
    target: str
    ours: str
    runs: int
    error: float
    holds: bool


Measure = Callable[[int], list[Row]]
"""Measures some rows with so many runs, or fewer where each run is long."""


def chance_at_most(name: str, limit: float, hits: int, runs: int) -> Row:
    """A share of runs that may not exceed a limit, by more than two standard errors of that limit."""
    share, allowed = hits / runs, standard_error(limit, runs)
    return Row(name, f"<= {limit:g}", f"{share:.4f}", runs, standard_error(share, runs), share <= limit + 2 * allowed)


def chance_between(name: str, low: float, high: float, hits: int, runs: int) -> Row:
    """A share of runs that lies between limits, give or take two standard errors."""
    share = hits / runs
    holds = low - 2 * standard_error(low, runs) <= share <= high + 2 * standard_error(high, runs)
    return Row(name, f"{low:g} to {high:g}", f"{share:.4f}", runs, standard_error(share, runs), holds)


def chance_at_least(name: str, limit: float, hits: int, runs: int) -> Row:
    """A share of runs that may not fall below a limit by more than two standard errors."""
    share = hits / runs
    holds = share >= limit - 2 * standard_error(limit, runs)
    return Row(name, f">= {limit:g}", f"{share:.4f}", runs, standard_error(share, runs), holds)


def number_at_most(name: str, limit: float, found: float, *, runs: int = 0, error: float = 0.0, unit: str = "") -> Row:
    """A number that may not exceed a limit by more than two standard errors."""
    text = f"{found:,.4g}" if abs(found) < 1000 else f"{found:,.0f}"
    target = f"<= {limit:,g} {unit}".rstrip()
    return Row(name, target, f"{text} {unit}".rstrip(), runs, error, found <= limit + 2 * error)


def number_at_least(name: str, limit: float, found: float, *, unit: str = "") -> Row:
    """A number that may not fall below a limit."""
    return Row(name, f">= {limit:,g} {unit}".rstrip(), f"{found:,.3g} {unit}".rstrip(), 0, 0.0, found >= limit)


def standard_error(share: float, runs: int) -> float:
    """Of a share of independent runs."""
    return math.sqrt(share * (1.0 - share) / runs)
