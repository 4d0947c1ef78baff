"""What a health check says when records or the randomisation are broken."""

import math
from collections.abc import Callable, Iterable

from controlplane.problems.problem import Problem
from experiments.stats.core.errors import InvalidArgument, InvalidEvidence, StatisticsError, require
from experiments.stats.core.types import Finding, Severity, UnitSums
from experiments.stats.health.sample_ratio import CERTAIN

ALPHA = 0.001
"""Chance of a false alarm of each check; a mismatch is so rare and so costly that this is customary."""


LARGEST_COUNT = 2**53
"""From here on floats cannot tell neighbouring whole numbers apart."""

UNFORESEEN = "If it stays so, report this sentence as a fault of Sluice."

Check = Callable[[], Iterable[Finding]]
"""One check with its evidence: called, it names what is wrong. Raises what it cannot digest."""


def by_severity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort what blocks promotion first, and the strongest evidence first among equals.

    >>> weak = Finding(Problem("weak", "", "", ""), Severity.WARNING, "", p_value=0.0001)
    >>> strong = Finding(Problem("strong", "", "", ""), Severity.BLOCKS_PROMOTION, "", log_e_value=9.0)
    >>> [finding.code for finding in by_severity([weak, strong])]
    ['strong', 'weak']
    """
    order = list(Severity)
    return tuple(sorted(findings, key=lambda found: (order.index(found.severity), -_strength(found), found.code)))


def checked(subject: str, check: Check) -> tuple[Finding, ...]:
    """What a check finds; if it raises, the finding that its subject could not be checked.

    >>> def counts() -> list[Finding]:
    ...     check_counts([-1])
    >>> [found.detail for found in checked("The split", counts)]
    ['The split could not be checked: A count is negative or no whole number.']
    """
    try:
        return tuple(check())
    except StatisticsError as error:
        return (not_checked(subject, error.detail, error.next_step),)
    except Exception as error:  # noqa: BLE001 - whatever one check stumbles over, the others are still needed
        return (not_checked(subject, f"{type(error).__name__}: {error}.", UNFORESEEN),)


def not_checked(subject: str, detail: str, next_step: str) -> Finding:
    """The finding that a check could not digest its evidence; it blocks promotion, as what it would say is unknown."""
    return Finding(
        Problem.of("not-checked", f"{subject} could not be checked: {detail}", next_step),
        Severity.BLOCKS_PROMOTION,
        subject,
        log_e_value=CERTAIN,
    )


def check_counts(counts: Iterable[float]) -> None:
    """Raise InvalidEvidence `counts-invalid` unless all counts are whole numbers from 0 to 2⁵³."""
    sound = all(0 <= count <= LARGEST_COUNT and count == int(count) for count in counts)
    require(sound, lambda: _evidence("counts-invalid", "A count is negative or no whole number."))


def check_sums(sums: Iterable[UnitSums]) -> None:
    """Raise InvalidEvidence `sums-invalid` unless data can have these sums."""
    sound = all(_possible(arm) for arm in sums)
    require(sound, lambda: _evidence("sums-invalid", "Sums over units are not finite, or contradict each other."))


def check_alpha(alpha: float) -> None:
    """Raise InvalidArgument `alpha-range` unless alpha lies between 0 and 1."""
    check_between("alpha-range", "alpha", alpha)


def check_between(code: str, name: str, value: float) -> None:
    """Raise InvalidArgument with this code unless the value lies between 0 and 1."""
    step = "Give a value between 0 and 1."
    require(0.0 < value < 1.0, lambda: InvalidArgument(code, f"The {name} is {value}.", next_step=step))


def known_control(control: str, variants: Iterable[str]) -> None:
    """Raise InvalidEvidence `control-missing` unless the control is among the variants."""
    require(
        control in set(variants),
        lambda: _evidence(
            "control-missing",
            f"Nothing is counted of the control {control!r} yet.",
            "Wait until it has data; if none comes, look at the split and at the control's backend.",
        ),
    )


def _strength(finding: Finding) -> float:
    if finding.log_e_value is not None:
        return finding.log_e_value
    return -math.log(finding.p_value) if finding.p_value else math.inf


def _possible(sums: UnitSums) -> bool:
    parts = (sums.units, sums.sum_y, sums.sum_d, sums.sum_yy, sums.sum_dd, sums.sum_yd)
    if not all(math.isfinite(part) for part in parts) or min(sums.units, sums.sum_d, sums.sum_yy, sums.sum_dd) < 0.0:
        return False
    # By Cauchy and Schwarz, in roots so that nothing overflows.
    root_n, root_yy, root_dd = (math.sqrt(part) * (1.0 + 1e-9) for part in (sums.units, sums.sum_yy, sums.sum_dd))
    return (
        abs(sums.sum_y) <= root_n * root_yy and sums.sum_d <= root_n * root_dd and abs(sums.sum_yd) <= root_yy * root_dd
    )


def _evidence(code: str, detail: str, next_step: str = "Count again from the events.") -> InvalidEvidence:
    return InvalidEvidence(code, detail, next_step=next_step)
