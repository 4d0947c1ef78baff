"""What each picture shows, as rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.spending import OBRIEN_FLEMING, POCOCK, Look, Spending
from experiments.stats.core.types import (
    Direction,
    Evidence,
    JudgePlan,
    MarginKind,
    MetricPlan,
    MetricType,
    PastLooks,
    Role,
    UnitSums,
    Verdict,
)
from experiments.stats.judging import intervals
from experiments.stats.judging.cells import arrange
from experiments.stats.judging.judge import judge
from experiments.stats.planning import Arrivals, StageTarget, sensitivity
from experiments.stats.planning.baseline import share, share_of_requests
from experiments.stats.planning.whole_plan import question_of
from experiments.stats.sequential.group_sequential import critical_values, design
from experiments.stats.simulation import Rollout, Scenario, simulate

Rows = list[dict[str, Any]]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

SHARES = {"control": 0.5, "new": 0.5}
TICKS = 500
USERS_A_TICK = 40
FAILING = 0.1
SINGLE_LOOK = 1.959963984540054
FACTORS = (2.0, 3.0, 5.0, 10.0, 20.0)
MARGIN = 0.1
BARS = (
    ("PASS", 0.0, 0.4),
    ("PASS, worse within the margin", 0.05, 0.2),
    ("NOT ENOUGH DATA", 0.02, 1.2),
    ("NOT ENOUGH DATA, though worse", 0.08, 0.4),
    ("FAIL", 0.19, 0.5),
)
"""Label, harm relative to the control, and the standard deviation of its users over its value."""
WORDS = {
    Verdict.PASS: "shown to be within its margin",
    Verdict.INSUFFICIENT: "not enough data",
    Verdict.FAIL: "shown to be worse than its margin",
}


def peeking(runs: int = 1000) -> tuple[Rows, Rows, str]:
    """One run without any difference, and in how many of many such runs either interval has ever left zero out."""
    rng = np.random.default_rng(81)
    ordinary, anytime = np.zeros((runs, TICKS), dtype=np.bool_), np.zeros((runs, TICKS), dtype=np.bool_)
    shown: Rows = []
    for run in range(runs):
        failed = rng.binomial(USERS_A_TICK, FAILING, (2, TICKS)).cumsum(axis=1).astype(np.float64)
        single, always = _both_intervals(failed)
        ordinary[run], anytime[run] = _leaves_zero_out(single), _leaves_zero_out(always)
        if not shown and _shows_the_point(ordinary[run], anytime[run]):
            shown = _band_rows(failed, single, always)
    ever = [np.logical_or.accumulate(each, axis=1).mean(axis=0) for each in (ordinary, anytime)]
    return shown, _alarm_rows(*ever), f"{runs:,} runs that raised an alarm: {ever[0][-1]:.0%} and {ever[1][-1]:.1%}"


def _both_intervals(failed: Floats) -> tuple[Floats, Floats]:
    """Both intervals of candidate - control, shape (ends, ticks); NaN before the judge has its first say."""
    metric = MetricPlan("failed users", MetricType.PROPORTION, Direction.DECREASE, Role.GUARDRAIL)
    plan = JudgePlan((metric,), "control", SHARES)
    n = np.arange(1, TICKS + 1, dtype=np.float64) * USERS_A_TICK
    control, new = (SumsColumns(n, each, n, each, n, each) for each in failed)
    with np.errstate(all="ignore"):
        cells = arrange([metric] * TICKS, ["new"] * TICKS, new, control)
        difference = intervals.Difference.of(cells, plan.alpha)
        always = np.stack(intervals.at_all_times(plan, cells, difference))
        single = np.stack(intervals.planned(cells, difference))
    return np.where(np.isnan(always), np.nan, single), always


def _leaves_zero_out(ends: Floats) -> Flags:
    return np.asarray((ends[0] > 0.0) | (ends[1] < 0.0), dtype=np.bool_)


def _shows_the_point(ordinary: Flags, anytime: Flags) -> bool:
    """An alarm that comes after a while, goes away again, and is raised by one interval alone."""
    late = ordinary[TICKS // 10 : TICKS // 2]
    return bool(
        late.sum() > TICKS // 20 and not ordinary[-1] and not ordinary[: TICKS // 10].any() and not anytime.any()
    )


def _band_rows(failed: Floats, single: Floats, always: Floats) -> Rows:
    n = np.arange(1, TICKS + 1, dtype=np.float64) * USERS_A_TICK
    effect = (failed[1] - failed[0]) / n
    places = [place for place in range(0, TICKS, 4) if np.isfinite(always[:, place]).all()]
    return [
        {
            "tick": place + 1,
            "effect": round(float(effect[place]), 4),
            "low": round(float(single[0, place]), 4),
            "high": round(float(single[1, place]), 4),
            "all_low": round(float(always[0, place]), 4),
            "all_high": round(float(always[1, place]), 4),
            "alarm": bool(_leaves_zero_out(single)[place]),
        }
        for place in places
    ]


def _alarm_rows(ordinary: Floats, anytime: Floats) -> Rows:
    lines = {"ordinary 95 % interval": ordinary, "interval for all times": anytime}
    places = range(0, TICKS, 4)
    return [{"x": p + 1, "y": round(float(y[p]), 4), "line": name} for name, y in lines.items() for p in places]


def looks() -> tuple[Rows, list[str]]:
    """The z that each of the usual looks asks of a goal, under three ways to spend alpha, and what they cost."""
    usual = JudgePlan((), "control", SHARES)
    steps = tuple((number + 1) / usual.looks for number in range(usual.looks))
    rows: Rows = []
    costs = []
    for name, spending in (("O'Brien-Fleming type", OBRIEN_FLEMING), ("Pocock type", POCOCK)):
        critical = critical_values([Look(t, t) for t in steps], usual.alpha, spending=spending, sides=2)
        rows += [{"x": t, "y": float(c), "line": name} for t, c in zip(steps, critical, strict=True) if c < 8.0]
        costs.append(f"{name} beside one look: {_cost(spending, steps, usual)}")
    return [*rows, *({"x": t, "y": SINGLE_LOOK, "line": "one look at the end"} for t in steps)], costs


def _cost(spending: Spending, steps: tuple[float, ...], plan: JudgePlan) -> str:
    found = design(steps, plan.alpha, plan.power, spending=spending, sides=2)
    most, usual = found.inflation - 1.0, found.expected_with_effect - 1.0
    return f"{most:+.1%} users at most, {usual:+.0%} on average if the effect is there"


def verdicts() -> Rows:
    """What the judge says of a guardrail whose intervals lie in five places."""
    metric = MetricPlan("latency", MetricType.MEAN, Direction.DECREASE, Role.GUARDRAIL, margin=MARGIN)
    plan = JudgePlan((metric,), "control", SHARES)
    rows: Rows = []
    for label, harm, spread in BARS:
        sums = {("latency", "control"): _mean_sums(1.0, spread), ("latency", "new"): _mean_sums(1.0 + harm, spread)}
        found = judge(plan, Evidence({"control": 1000, "new": 1000}, sums), looks=PastLooks(last=True)).metrics[0]
        assert found.relative_interval is not None
        ends = {"low": found.relative_interval.low, "high": found.relative_interval.high, "effect": found.relative}
        rows.append({"what": label, **ends, "verdict": WORDS[found.verdict]})
    return rows


def _mean_sums(value: float, spread: float, units: int = 1000) -> UnitSums:
    """Sums of so many users with this mean and standard deviation."""
    squares = units * value**2 + (units - 1) * spread**2
    return UnitSums(units, units * value, units, squares, units, units * value)


def harms(runs: int = 1000) -> tuple[Rows, str]:
    """Users whom a candidate has served until it is halted, by how much more often it fails."""
    errors = MetricPlan("errors", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, 0.005, MarginKind.ABSOLUTE)
    plan = JudgePlan((errors,), "control", SHARES)
    stages = (StageTarget(0.01, 1.0), StageTarget(0.05, 2.0), StageTarget(0.25, 6.0), StageTarget(0.5, 24.0))
    baselines = {"errors": share_of_requests(0.01, 5.0, correlation=0.1)}
    rollout = Rollout(plan, baselines, stages, Arrivals(5000.0), maximum_hours=72.0, ticks=120)
    scenarios = [Scenario(f"{factor:g}", {"errors": factor - 1.0}) for factor in (1.0, *FACTORS)]
    harmless, *found = simulate(rollout, scenarios, runs=runs)
    fewest = min(each.halt for each in found)
    text = f"halted: {fewest:.0%} of the rollouts of every size of harm, {harmless.halt:.1%} of those without harm"
    return [{"x": f, "y": o.candidate_units} for f, o in zip(FACTORS, found, strict=True)], text


def sensitivities() -> Rows:
    """The smallest relative change that is seen after so many days, at three rates of new users."""
    days = list(range(1, 29))
    goal = MetricPlan("thumbs", MetricType.PROPORTION, Direction.INCREASE, Role.GOAL)
    question = question_of(JudgePlan((goal,), "control", SHARES), goal, "new")
    rows: Rows = []
    for first_hour in (50.0, 200.0, 1000.0):
        effects = sensitivity(
            share(0.1), Arrivals(first_hour), [float(day) for day in days], share=0.5, question=question
        )
        name = f"{first_hour:,.0f} new users an hour"
        rows += [{"x": day, "y": float(y) / 0.1, "line": name} for day, y in zip(days, effects, strict=True)]
    return rows
