"""Units that were seen in several arms, and so measure none of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from controlplane.problems.problem import Problem
from experiments.stats.core.errors import InvalidEvidence, require
from experiments.stats.core.types import Finding, Severity
from experiments.stats.health.findings import ALPHA, check_alpha, check_between, check_counts

TOLERANCE = 0.001
"""Share of units in several arms that is accepted: a cleared cookie or a shared device is no fault of the rollout."""
TOLERANCE_NAME = "tolerated share of units in several arms"


@dataclass(frozen=True, slots=True)
class Overlap:
    """Distinct units: all of them, those seen in several arms, and, where counted, those in both arms of each pair."""

    units: int
    in_several: int
    by_pair: Mapping[tuple[str, str], int]


def overlap_of(units: ArrayLike, variants: ArrayLike) -> Overlap:
    """Count units in several arms; one entry a unit and variant, or an exposure, in any order.

    Raises:
        InvalidEvidence: `exposures-lengths`.

    >>> overlap_of(["ann", "ann", "bob", "cleo"], ["new", "control", "new", "control"])
    Overlap(units=3, in_several=1, by_pair={('control', 'new'): 1})
    """
    units, variants = np.asarray(units), np.asarray(variants)
    require(units.shape == variants.shape, _different_lengths)
    names, arm = np.unique(variants, return_inverse=True)
    labels, unit = np.unique(units, return_inverse=True)
    seen = np.zeros((labels.size, names.size), dtype=np.bool_)
    seen[unit, arm] = True
    both = seen.T.astype(np.int64) @ seen
    pairs = [(first, second) for first in range(names.size) for second in range(first + 1, names.size)]
    return Overlap(
        units=labels.size,
        in_several=int(np.count_nonzero(seen.sum(axis=1) > 1)),
        by_pair={(str(names[i]), str(names[j])): int(both[i, j]) for i, j in pairs},
    )


def overlap_findings(overlap: Overlap, *, tolerance: float = TOLERANCE, alpha: float = ALPHA) -> Iterator[Finding]:
    """Find that more than the tolerated share of units is in several arms, with certainty 1 - alpha.

    The exact lower bound of Clopper and Pearson must lie above the tolerance, so a handful of units is no alarm. Holds
    for one look; take it at the looks that decide. Assumes independent units.
    Reference: Clopper and Pearson, The use of confidence or fiducial limits (Biometrika 1934).

    Raises:
        InvalidArgument: `alpha-range`, `tolerance-range`.
        InvalidEvidence: `counts-invalid`, `overlap-impossible`.

    >>> [found.subject for found in overlap_findings(Overlap(10_000, 60, {("control", "new"): 60}))]
    ['control, new']
    >>> list(overlap_findings(Overlap(300, 2, {("control", "new"): 2})))
    []
    """
    check_alpha(alpha)
    check_between("tolerance-range", TOLERANCE_NAME, tolerance)
    _check_overlap(overlap)
    if not overlap.in_several:
        return
    test = stats.binomtest(int(overlap.in_several), int(overlap.units), tolerance, alternative="greater")
    low = float(test.proportion_ci(1.0 - alpha, method="exact").low)
    if low <= tolerance:
        return
    pair = max(overlap.by_pair, key=lambda pair: overlap.by_pair[pair], default=())
    most_often = f"; most often in {' and '.join(pair)}" if pair else ""
    yield Finding(
        Problem.of(
            "units-in-several-arms",
            f"{overlap.in_several} of {overlap.units} users were in several variants, at least {low:.2%}{most_often}.",
            "Check for unstable user ids, retries that are assigned again, or a salt that changed while running.",
        ),
        Severity.BLOCKS_PROMOTION,
        ", ".join(pair) or "several arms",
        p_value=float(test.pvalue),
    )


def _check_overlap(overlap: Overlap) -> None:
    check_counts((overlap.units, overlap.in_several, *overlap.by_pair.values()))
    most = max(overlap.by_pair.values(), default=0)
    in_pairs = sum(overlap.by_pair.values()) if overlap.by_pair else overlap.units
    possible = most <= overlap.in_several <= min(overlap.units, in_pairs)
    step = "Count distinct units in several arms, and in both arms of each pair."
    detail = "Units in several arms and in pairs of arms contradict each other."
    require(possible, lambda: InvalidEvidence("overlap-impossible", detail, next_step=step))


def _different_lengths() -> InvalidEvidence:
    detail = "Units and variants differ in length."
    return InvalidEvidence("exposures-lengths", detail, next_step="Give a variant for each unit.")
