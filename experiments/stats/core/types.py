"""What statistics take and return: frozen, typed, every field documented."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from controlplane.problems.problem import HasProblem, Problem
from experiments.stats.core.spending import OBRIEN_FLEMING, Look, Spending


class Direction(StrEnum):
    """Which way a metric gets better."""

    INCREASE = "increase"
    DECREASE = "decrease"


class Role(StrEnum):
    """A metric's part in the plan."""

    GOAL = "goal"
    GUARDRAIL = "guardrail"
    OBSERVED = "observed"


class MetricType(StrEnum):
    """How a metric's value follows from one unit's totals."""

    PROPORTION = "proportion"
    MEAN = "mean"
    RATIO = "ratio"
    QUANTILE = "quantile"
    ACCURACY = "accuracy"
    PRECISION = "precision"
    RECALL = "recall"
    F1 = "f1"


class MarginKind(StrEnum):
    """Whether a margin is a share of |control| or in the metric's own unit."""

    RELATIVE = "relative"
    ABSOLUTE = "absolute"


class Verdict(StrEnum):
    """Shown, shown not to be, or not enough data to say."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True, slots=True)
class UnitSums:
    """Sufficient statistics of one metric in one variant.

    For unit i, Y_i is its numerator total and D_i its denominator total (1 for proportions and means). `units` is the
    number of units n; the others are the sums over units of Y, D, Y², D² and Y·D.
    """

    units: int
    sum_y: float
    sum_d: float
    sum_yy: float
    sum_dd: float
    sum_yd: float

    @classmethod
    def of(cls, y: ArrayLike, d: ArrayLike | None = None) -> "UnitSums":
        """Sums from the totals of units, one entry a unit; without a denominator each unit counts 1.

        >>> UnitSums.of([1, 0, 2])
        UnitSums(units=3, sum_y=3.0, sum_d=3.0, sum_yy=5.0, sum_dd=3.0, sum_yd=3.0)
        """
        y = np.asarray(y, dtype=np.float64)
        d = np.ones_like(y) if d is None else np.asarray(d, dtype=np.float64)
        return cls(y.size, *(float(each) for each in (y.sum(), d.sum(), y @ y, d @ d, y @ d)))

    def __add__(self, other: "UnitSums") -> "UnitSums":
        return UnitSums(
            self.units + other.units,
            self.sum_y + other.sum_y,
            self.sum_d + other.sum_d,
            self.sum_yy + other.sum_yy,
            self.sum_dd + other.sum_dd,
            self.sum_yd + other.sum_yd,
        )


@dataclass(frozen=True, slots=True)
class MetricPlan:
    """One metric of the plan. `margin` is the harm a guardrail accepts; `minimum_effect` is relative and above zero.

    `counts_events` says of a ratio that its numerator counts some of what its denominator counts, as errors are some of
    all requests; that may not be guessed from sums, as dollars would then be judged otherwise than cents.
    """

    key: str
    type: MetricType
    direction: Direction
    role: Role
    margin: float = 0.0
    margin_kind: MarginKind = MarginKind.RELATIVE
    minimum_effect: float = 0.05
    counts_events: bool = False


@dataclass(frozen=True, slots=True)
class JudgePlan:
    """What was registered before the start. `shares` maps each variant to its share of measured units (sum 1).

    `looks` is how many looks at equal steps of information are planned for, and `spending` how they share alpha.
    `tails` are, by the guardrail whose values they are of, shares of values above thresholds: they halt, and promotion
    does not ask for them.
    """

    metrics: tuple[MetricPlan, ...]
    control: str
    shares: Mapping[str, float]
    alpha: float = 0.05
    halt_alpha: float = 0.01
    power: float = 0.8
    minimum_units: int = 100
    looks: int = 20
    spending: Spending = OBRIEN_FLEMING
    tails: Mapping[str, tuple[MetricPlan, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PastLooks:
    """Looks at which promotion might have been decided, oldest first, by (metric, variant).

    `shown` are the (metric, variant) that passed at one of them; what is shown once stays shown. `last` declares that
    no look follows the present one, so that it may spend all that is left of alpha.
    """

    taken: Mapping[tuple[str, str], tuple[Look, ...]] = field(default_factory=dict)
    shown: frozenset[tuple[str, str]] = frozenset()
    last: bool = False

    @property
    def number(self) -> int:
        """How many looks were taken."""
        return max((len(looks) for looks in self.taken.values()), default=0)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What the past of an arm's units takes off its estimate of a metric.

    `shift` comes off the value, in its unit, and `variance_kept` is the share of one unit's variance that is left.
    `common_variance` is that of what the values of all arms have in common, the past of all units, of which their
    difference is free and a share of one of them is not.
    """

    shift: float
    variance_kept: float
    common_variance: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured: distinct measured units a variant, and sums a (metric, variant).

    `heavy` is, of ratios that count events, the denominator total that no heavier unit has than all but nine of the
    variant: see `heavy_total`. A ratio that it does not know is judged as if all units weighed about the same.
    `adjustments` are, by (metric, variant), for the metrics that are adjusted by what units did before.
    """

    units: Mapping[str, int]
    sums: Mapping[tuple[str, str], UnitSums]
    heavy: Mapping[tuple[str, str], float] = field(default_factory=dict)
    adjustments: Mapping[tuple[str, str], Adjustment] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval of values; an end may be infinite."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class MetricResult:
    """One metric of one candidate beside the control.

    `effect` is candidate minus control in the metric's unit, `relative` is effect / |control|. `interval` has coverage
    1 - alpha if this is the only look, `look_interval` at all planned looks together, `anytime_interval` at all times.
    `p_value` is one-sided and that of a single look: non-inferiority for guardrails, superiority for goals.
    `critical_value` is the z that the verdict asks for at this look, after the looks before. `log_harm` is the natural
    log of the e-value against "worse by no more than the margin". `information` is 1 / standard error² of what is
    tested, the most that this look or one before it had, and `information_fraction` its share of what the plan needs,
    1 at the most. `harmed` says that this e-value has a part in a halt at any time, and `harmed_at_look` that a halt
    follows if this analysis is counted as a look. `variance_removed` is the share of the effect's variance that went
    as values were adjusted by what units did before; None where they were not, and `not_adjusted` says why one was not
    that should have been.

    What could not be measured is None, and `note` says why. Where `interval` is None, so are the other intervals;
    `relative_interval` is None also where the control may be zero, and has no bounds. No number is infinite.
    """

    metric: str
    role: Role
    variant: str
    control_value: float | None
    variant_value: float | None
    control_units: int
    variant_units: int
    effect: float | None
    relative: float | None
    interval: Interval | None
    relative_interval: Interval | None
    anytime_interval: Interval | None
    p_value: float | None
    log_harm: float | None
    harmed: bool
    verdict: Verdict
    information_fraction: float | None
    note: str
    look_interval: Interval | None = None
    critical_value: float | None = None
    information: float | None = None
    harmed_at_look: bool = False
    variance_removed: float | None = None
    not_adjusted: str = ""


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Whether units arrived in the shares that were set. `expected` are shares, `observed` are counts of units."""

    expected: Mapping[str, float]
    observed: Mapping[str, int]
    p_value: float
    log_e_value: float
    mismatch: bool


@dataclass(frozen=True, slots=True)
class HarmSince:
    """One guardrail or tail of one candidate that is worse than its margin since a later start, with values since then.

    Without a later start, `since` is None.
    """

    since: datetime | None
    metric: str
    variant: str
    control_value: float
    variant_value: float
    control_units: int
    variant_units: int


@dataclass(frozen=True, slots=True)
class Halt:
    """Evidence of harm over all guardrails and candidates; `threshold` is log(1 / its part of halt_alpha).

    `later` are the guardrails that are harmed since a later start, and `tails` the tails that are harmed, the clearest
    first; to blame is the guardrail whose tail it is.
    """

    log_e_value: float
    threshold: float
    reached: bool
    blamed: tuple[tuple[str, str], ...]
    later: tuple[HarmSince, ...] = ()
    tails: tuple[HarmSince, ...] = ()


class Severity(StrEnum):
    """What a finding does to a rollout; none of them halts it."""

    BLOCKS_PROMOTION = "blocks-promotion"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding(HasProblem):
    """A problem with records or the randomisation, and how sure it is.

    `subject` names the variant, segment, metric or pair of variants. `log_e_value` is evidence that holds at every
    look, `p_value` that of a single look; what a check does not compute is None, never both.
    """

    problem: Problem
    severity: Severity
    subject: str
    p_value: float | None = None
    log_e_value: float | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """Everything one analysis found; `findings` are those of the health checks, the gravest first.

    `stage_units` counts the units of each variant with a request since the present stage began; None where nothing is
    known of stages. `beyond` are the tails of which the estimate is far beyond their margin, shown or not, the
    furthest first.
    """

    metrics: tuple[MetricResult, ...]
    sample_ratio: SampleRatio
    halt: Halt
    findings: tuple[Finding, ...] = ()
    stage_units: Mapping[str, int] | None = None
    beyond: tuple[HarmSince, ...] = ()
