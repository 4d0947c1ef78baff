"""Whether libraries say the same: as each publishes its numbers, and with ours restated by its definitions."""

import math
from typing import Any

from scipy import special

from bench.stats.inputs import KINDS, METRICS, VARIANTS

Row = list[float]
TOLERANCE = 1e-6
ALPHA = 0.05
AS_PUBLISHED = {("tea-tasting", "proportion"): 1.1e-4, ("tea-tasting", "ratio"): 2.5e-4, ("gbstats", "ratio"): 2.5e-4}
"""How far apart numbers may be, in half widths, where definitions differ on purpose (`definition`)."""


def compare(name: str, metrics: list[dict[str, Any]], ours: list[Row], theirs: list[Row]) -> bool:
    """Print, for each kind of metric, how far apart the numbers are in half widths of their intervals.

    Ours are difference, ends of the interval, and the variance of the control's and of the candidate's value; theirs
    are difference and ends. Rows follow metrics, and candidates within them.
    """
    candidates = VARIANTS[1:]
    if not len(ours) == len(theirs) == METRICS * len(candidates):
        print(f"{name}: {len(theirs)} rows beside {len(ours)}")
        return False
    agrees = True
    for kind in KINDS:
        rows = [n for n in range(len(ours)) if metrics[n // len(candidates)]["kind"] == kind]
        arms = {n: (metrics[n // len(candidates)]["arms"], candidates[n % len(candidates)]) for n in rows}
        published = max(apart(ours[n][:3], theirs[n]) for n in rows)
        same = max(apart(restated(name, kind, *arms[n], ours[n]), theirs[n]) for n in rows)
        allowed = AS_PUBLISHED.get((name, kind), TOLERANCE)
        agrees &= published <= allowed and same <= TOLERANCE
        print(f"  {name + ', ' + kind:25} {published:9.1e} {same:9.1e}   {definition(name, kind)}")
    return agrees


def apart(mine: Row, other: Row) -> float:
    """Largest difference of effect and ends of the interval, in half widths; infinite if one is not a number."""
    half = (mine[2] - mine[1]) / 2.0
    found = [abs(a - b) / half for a, b in zip(mine, other, strict=True)]
    return max(found) if all(map(math.isfinite, found)) else math.inf


def definition(name: str, kind: str) -> str:
    """Where a library defines the variance otherwise, in words."""
    if kind == "ratio":
        return "theirs over n - 1; ours counts the units that requests effectively come from"
    if (name, kind) == ("tea-tasting", "proportion"):
        return "theirs over n - 1, ours over n"
    return "same definition"


def restated(name: str, kind: str, arms: dict[str, dict[str, float]], candidate: str, ours: Row) -> Row:
    """Our difference with the interval that follows from our variances by the library's definitions (Welch's)."""
    difference, _, _, from_control, from_candidate = ours
    parts = [
        (variance * _factor(name, kind, arm), arm["units"] - 1.0)
        for variance, arm in ((from_control, arms["control"]), (from_candidate, arms[candidate]))
    ]
    total = sum(variance for variance, _ in parts)
    degrees = total**2 / sum(variance**2 / free for variance, free in parts)
    half = float(special.stdtrit(degrees, 1.0 - ALPHA / 2.0)) * math.sqrt(total)
    return [difference, difference - half, difference + half]


def _factor(name: str, kind: str, arm: dict[str, float]) -> float:
    """What the library's variance of one unit is to ours."""
    over_all = 1.0 - 1.0 / arm["units"]
    if kind == "ratio":
        return (1.0 - arm["dd"] / arm["d"] ** 2) / over_all
    return 1.0 / over_all if (name, kind) == ("tea-tasting", "proportion") else 1.0
