"""Answers that nobody could read: what they hold is unknown in all arms, and may be errors."""

from collections.abc import Iterator, Mapping

from controlplane.problems.problem import Problem
from experiments.stats.core.types import Finding, Severity, UnitSums
from experiments.stats.health.findings import check_sums
from experiments.stats.health.sample_ratio import CERTAIN

TOLERATED = 20
"""One in so many of an arm's answered requests may be unreadable: more could hide any harm that margins allow for."""


def unreadable_findings(read: Mapping[str, Mapping[str, UnitSums]]) -> Iterator[Finding]:
    """Name each metric of which more than one in twenty of an arm's answers could not be read; blocks promotion.

    `read` maps metrics to each variant's sums, Y the answered requests of a unit that could be read, D all of them.
    The share is that of what was counted, with no test: unread answers may be anything, and most often are errors.

    Raises:
        InvalidEvidence: `sums-invalid`.

    >>> third, all_read = UnitSums(90, 30, 90, 30, 90, 30), UnitSums(90, 90, 90, 90, 90, 90)
    >>> [found.detail for found in unreadable_findings({"cost": {"control": all_read, "new": third}})]
    ['cost is judged without the answers that could not be read: 0.0% of those of control, 66.7% of those of new.']
    """
    for metric, arms in read.items():
        check_sums(arms.values())
        shares = {arm: 1.0 - sums.sum_y / sums.sum_d for arm, sums in arms.items() if sums.sum_d}
        if any((sums.sum_d - sums.sum_y) * TOLERATED > sums.sum_d for sums in arms.values()):
            told = ", ".join(f"{share:.1%} of those of {arm}" for arm, share in sorted(shares.items()))
            yield Finding(
                Problem.of(
                    "unreadable-answers",
                    f"{metric} is judged without the answers that could not be read: {told}.",
                    "Have both backends answer uncompressed, at paths that their protocol knows, so that edges can "
                    "read it; or register both as http, of whose answers nothing is known; or halt it.",
                ),
                Severity.BLOCKS_PROMOTION,
                metric,
                log_e_value=CERTAIN,
            )
