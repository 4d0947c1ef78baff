"""Records that no running rollout can have: counts that fall, and two arms with one stream."""

from collections.abc import Iterator, Mapping
from itertools import combinations

from controlplane.problems.problem import Problem
from experiments.stats.core.types import Finding, Severity, UnitSums
from experiments.stats.health.findings import check_counts, check_sums
from experiments.stats.health.sample_ratio import CERTAIN

FEWEST_UNITS = 100
"""Units from which on two arms have equal sums of anything but shares practically never by chance."""


def fallen_findings(before: Mapping[str, int], now: Mapping[str, int]) -> Iterator[Finding]:
    """Name each variant with fewer units than at the look before, as after late deletions.

    Information that falls breaks spent alpha and e-values alike; a look on it must wait.

    Raises:
        InvalidEvidence: `counts-invalid`.

    >>> [found.subject for found in fallen_findings({"control": 900, "new": 900}, {"control": 950, "new": 880})]
    ['new']
    """
    check_counts((*before.values(), *now.values()))
    for variant, count in before.items():
        if now.get(variant, 0) >= count:
            continue
        yield Finding(
            Problem.of(
                "units-fell",
                f"{variant} has {now.get(variant, 0)} users, and had {count} at the look before.",
                "Find out what was deleted or not loaded before you trust a verdict.",
            ),
            Severity.WARNING,
            variant,
            log_e_value=CERTAIN,
        )


def identical_findings(sums: Mapping[str, Mapping[str, UnitSums]]) -> Iterator[Finding]:
    """Name each metric whose sums are the same in two arms: one stream is reported twice.

    `sums` maps a metric to the sums of each variant. Shares of units are left out, since equal counts of them do come
    by chance, and so are metrics without any spread.

    Raises:
        InvalidEvidence: `sums-invalid`.

    >>> arm = UnitSums(1000, 5123.5, 1000, 31007.25, 1000, 5123.5)
    >>> [found.subject for found in identical_findings({"latency": {"control": arm, "new": arm}})]
    ['latency, control, new']
    """
    for metric, arms in sums.items():
        check_sums(arms.values())
        for first, second in combinations(arms, 2):
            if arms[first] == arms[second] and _never_by_chance(arms[first]):
                yield _identical(metric, first, second)


def _never_by_chance(arm: UnitSums) -> bool:
    is_share = arm.sum_yy == arm.sum_y
    varies = arm.sum_yy * arm.units > arm.sum_y**2 * (1.0 + 1e-9)
    return arm.units >= FEWEST_UNITS and varies and not is_share


def _identical(metric: str, first: str, second: str) -> Finding:
    return Finding(
        Problem.of(
            "identical-streams",
            f"{metric} has exactly the same sums in {first} and {second}.",
            "Check that each arm reports its own events.",
        ),
        Severity.BLOCKS_PROMOTION,
        f"{metric}, {first}, {second}",
        log_e_value=CERTAIN,
    )
