"""Guardrails that no harm can reach: beside the control's value their margin accepts all that a candidate can do."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from controlplane.problems.problem import Problem
from experiments.stats.core.types import (
    Direction,
    Finding,
    MarginKind,
    MetricPlan,
    Severity,
    UnitSums,
)
from experiments.stats.health.sample_ratio import CERTAIN

NARROW = 0.05
"""A margin of so small a part of a metric's range is no wide one: where the control leaves less, little can be lost."""

MANY = 10.0
"""Where nobody knows what a metric may be, it never differs by so many times the size of its values."""

NEXT_STEP = "Start anew with a margin that harm exceeds; a person may promote by hand meanwhile."


@dataclass(frozen=True, slots=True)
class Range:
    """The values that a metric can have, in its own unit; infinite where nobody knows an end."""

    low: float = -math.inf
    high: float = math.inf

    @property
    def narrow(self) -> float:
        """The widest margin that is a small part of it; nothing where it has no end."""
        width = self.high - self.low
        return NARROW * width if math.isfinite(width) else 0.0


@dataclass(frozen=True, slots=True)
class Guarded:
    """A guardrail, the values that its metric can have, and the control's sums, where they are of single values.

    `is_share` says how its values are written.
    """

    plan: MetricPlan
    range: Range
    is_share: bool = False
    control: UnitSums | None = None


def cannot_fire_findings(guardrail: Guarded, value: float | None) -> Iterator[Finding]:
    """The finding that its margin is no less than what its metric can get worse by, from the control's value.

    With v the control's value and m what the margin accepts of it, a guardrail on what is better when small cannot fire
    where m >= high - v, one on what is better when large where m >= v - low, unless m is narrow. Where that end is
    infinite, m is held against ten times the root mean square of the values, sqrt(sum y^2 / sum d^2), or |v| if that is
    larger. Of an unknown value nothing is said, nor where the control is at the end already: there is nothing to lose.
    """
    if value is None:
        return
    accepted, worst = _accepted(guardrail.plan, value), worst_by(guardrail, value)
    if accepted > guardrail.range.narrow and 0.0 < worst <= accepted:
        yield _finding(guardrail, value, accepted)


def worst_by(guardrail: Guarded, value: float) -> float:
    """By how much the metric can get worse than the control's value; 0 where nobody can tell.

    >>> from experiments.stats.core.types import MetricType, Role
    >>> wide = MetricPlan("refused", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, 0.3, MarginKind.ABSOLUTE)
    >>> worst_by(Guarded(wide, Range(0.0, 1.0)), 0.75)
    0.25
    """
    end = _end(guardrail)
    if math.isfinite(end):
        return abs(end - value)
    return MANY * max(abs(value), _size(guardrail.control))


def _accepted(plan: MetricPlan, value: float) -> float:
    return plan.margin * abs(value) if plan.margin_kind is MarginKind.RELATIVE else plan.margin


def _end(guardrail: Guarded) -> float:
    """The worst value there is."""
    return guardrail.range.high if guardrail.plan.direction is Direction.DECREASE else guardrail.range.low


def _size(sums: UnitSums | None) -> float:
    return math.sqrt(sums.sum_yy / sums.sum_dd) if sums and sums.sum_dd > 0.0 else 0.0


def _finding(guardrail: Guarded, value: float, accepted: float) -> Finding:
    end, key = _end(guardrail), guardrail.plan.key
    way = "more" if guardrail.plan.direction is Direction.DECREASE else "less"
    limit = f"it is never {way} than {_written(end, guardrail)}" if math.isfinite(end) else "nothing is as large"
    margin = f"{accepted * 100:.1f} percentage points" if guardrail.is_share else f"{accepted:.4g}"
    detail = (
        f"The guardrail on {key} cannot fire: it accepts {margin} {way} than the control's "
        f"{_written(value, guardrail)}, and {limit}."
    )
    return Finding(
        Problem.of("guardrail-cannot-fire", detail, NEXT_STEP), Severity.BLOCKS_PROMOTION, key, log_e_value=CERTAIN
    )


def _written(value: float, guardrail: Guarded) -> str:
    return f"{value:.1%}" if guardrail.is_share else f"{value:.4g}"
