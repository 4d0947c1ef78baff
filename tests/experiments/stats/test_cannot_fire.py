"""A guardrail whose margin accepts all that a candidate can do is said to be none; every right value is by hand."""

import pytest

from experiments.stats.core.types import Direction, MarginKind, MetricPlan, MetricType, Role, Severity, UnitSums
from experiments.stats.health import Guarded, Range, cannot_fire_findings

SHARE, POSITIVE, ANYTHING = Range(0.0, 1.0), Range(0.0), Range()


def guardrail(
    margin: float,
    kind: MarginKind = MarginKind.ABSOLUTE,
    direction: Direction = Direction.DECREASE,
    values: Range = SHARE,
    control: UnitSums | None = None,
) -> Guarded:
    plan = MetricPlan("refused", MetricType.RATIO, direction, Role.GUARDRAIL, margin, kind)
    return Guarded(plan, values, is_share=values is SHARE, control=control)


def said(guarded: Guarded, value: float | None) -> list[str]:
    findings = list(cannot_fire_findings(guarded, value))
    assert all(finding.severity is Severity.BLOCKS_PROMOTION for finding in findings)
    assert {finding.code for finding in findings} <= {"guardrail-cannot-fire"}
    return [finding.detail for finding in findings]


@pytest.mark.parametrize(
    ("margin", "kind", "value", "fires"),
    [
        # 70 % + 29 points are 99 %, and more than that there can be; 70 % + 31 points there cannot be.
        (0.29, MarginKind.ABSOLUTE, 0.7, True),
        (0.31, MarginKind.ABSOLUTE, 0.7, False),
        (0.50, MarginKind.ABSOLUTE, 0.4, True),
        # Half as much again of 66 % is 99 %; of 67 % it is more than all.
        (0.50, MarginKind.RELATIVE, 0.66, True),
        (0.50, MarginKind.RELATIVE, 0.67, False),
        (1.00, MarginKind.RELATIVE, 0.50, False),
        (1.00, MarginKind.RELATIVE, 0.01, True),
        # Where the control fails nearly all, a narrow margin is not to blame, and there is nothing to lose at the end.
        (0.005, MarginKind.ABSOLUTE, 0.999, True),
        (0.50, MarginKind.ABSOLUTE, 1.0, True),
    ],
)
def test_a_share_that_is_better_when_small(margin: float, kind: MarginKind, value: float, fires: bool) -> None:
    assert (said(guardrail(margin, kind), value) == []) is fires


@pytest.mark.parametrize(
    ("margin", "kind", "value", "fires"),
    [
        (0.5, MarginKind.ABSOLUTE, 0.51, True),
        (0.5, MarginKind.ABSOLUTE, 0.50, False),
        (0.5, MarginKind.ABSOLUTE, 0.0, True),
        (0.5, MarginKind.RELATIVE, 0.1, True),
    ],
)
def test_a_share_that_is_better_when_large(margin: float, kind: MarginKind, value: float, fires: bool) -> None:
    assert (said(guardrail(margin, kind, Direction.INCREASE), value) == []) is fires


def test_what_cannot_fall_below_zero() -> None:
    assert said(guardrail(99.0, direction=Direction.INCREASE, values=POSITIVE), 100.0) == []
    assert said(guardrail(100.0, direction=Direction.INCREASE, values=POSITIVE), 100.0) == [
        "The guardrail on refused cannot fire: it accepts 100 less than the control's 100, and it is never less than 0."
    ]


@pytest.mark.parametrize(("margin", "fires"), [(0.05, True), (9.9, True), (10.1, False), (1e12, False)])
def test_what_has_no_end_is_held_against_its_values(margin: float, fires: bool) -> None:
    """Of 100 users 99 have nothing and one has 10, so that the root mean square is 1, and the mean a tenth."""
    sums = UnitSums(units=100, sum_y=10.0, sum_d=100.0, sum_yy=100.0, sum_dd=100.0, sum_yd=10.0)
    for values in (POSITIVE, ANYTHING):
        assert (said(guardrail(margin, values=values, control=sums), 0.1) == []) is fires


def test_without_sums_its_value_says_how_large_it_is() -> None:
    assert said(guardrail(9_999.0, values=POSITIVE), 1_000.0) == []
    assert said(guardrail(10_000.0, values=POSITIVE), 1_000.0) != []
    assert said(guardrail(10_000.0, values=ANYTHING, direction=Direction.INCREASE), -1_000.0) != []


@pytest.mark.parametrize("value", [None, 0.0])
def test_of_what_is_not_known_nothing_is_said(value: float | None) -> None:
    assert said(guardrail(1e12, values=ANYTHING), value) == []


def test_it_is_said_in_the_metrics_own_words() -> None:
    [sentence] = said(guardrail(0.4), 0.725)
    assert sentence == (
        "The guardrail on refused cannot fire: it accepts 40.0 percentage points more than the control's 72.5%, and it "
        "is never more than 100.0%."
    )
