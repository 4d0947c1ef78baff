"""What each picture shows, as rows."""

from typing import Any

import numpy as np

from experiments.stats import anytime
from experiments.stats.group_sequential import OBRIEN_FLEMING, POCOCK, Look, critical_values
from experiments.stats.planning import Arrivals, StageTarget, sensitivity
from experiments.stats.planning.baseline import share, share_of_requests
from experiments.stats.simulation import Rollout, Scenario, simulate
from experiments.stats.types import Direction, JudgePlan, MarginKind, MetricPlan, MetricType, Role

Rows = list[dict[str, Any]]
TICKS = 400
NORMAL = 1.959963984540054


def peeking(runs: int = 1000) -> tuple[Rows, str]:
    """One run without any difference, and in how many of many such runs each test ever raises an alarm."""
    information = np.arange(1, TICKS + 1) / TICKS
    steps = np.random.default_rng(81).normal(0.0, TICKS**-0.5, (runs, TICKS))
    z = np.abs(steps.cumsum(axis=1)) / np.sqrt(information)
    ratio = anytime.tuned_ratio(0.05) * information
    bound = anytime.two_sided_critical(ratio[:, None], 0.05)
    late = information >= 0.02
    ordinary, ours = (np.any(z[:, late] >= limit, axis=1) for limit in (NORMAL, bound[late]))
    shown = int(np.argmax(ordinary & ~ours & (z[:, -1] < 1.0)))
    rows: Rows = []
    for name, values in (
        ("difference, no effect", z[shown]),
        ("ordinary limit", np.full(TICKS, NORMAL)),
        ("limit for all times", bound),
    ):
        rows += [{"x": i / TICKS, "y": float(v), "line": name} for i, v in enumerate(values, 1) if i >= 0.02 * TICKS]
    text = f"false alarms of {runs:,} such runs: ordinary {ordinary.mean():.0%}, for all times {ours.mean():.1%}"
    return rows, text


def looks() -> Rows:
    """The z that each of ten looks asks for, under three ways to spend 5 %."""
    steps = [(number + 1) / 10 for number in range(10)]
    at = [Look(t, t) for t in steps]
    rows: Rows = []
    for name, spending in (("O'Brien-Fleming type", OBRIEN_FLEMING), ("Pocock type", POCOCK)):
        critical = critical_values(at, 0.05, spending=spending, sides=2)
        rows += [{"x": t, "y": float(c), "line": name} for t, c in zip(steps, critical, strict=True)]
    return [*rows, *({"x": t, "y": NORMAL, "line": "a single look"} for t in steps)]


def verdicts() -> Rows:
    """Intervals of a guardrail's harm beside a margin of 10 %."""
    return [
        {"what": "pass", "low": -0.06, "high": 0.05, "verdict": "no worse than the margin"},
        {"what": "pass, a little worse", "low": 0.015, "high": 0.085, "verdict": "no worse than the margin"},
        {"what": "not enough data", "low": -0.11, "high": 0.16, "verdict": "not enough data"},
        {"what": "fail", "low": 0.12, "high": 0.26, "verdict": "worse than the margin"},
    ]


def harms(runs: int = 1000) -> Rows:
    """Users whom a candidate has served until it is halted, by how much more often it fails."""
    errors = MetricPlan("errors", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, 0.005, MarginKind.ABSOLUTE)
    plan = JudgePlan((errors,), "control", {"control": 0.5, "new": 0.5})
    stages = (StageTarget(0.01, 1.0), StageTarget(0.05, 2.0), StageTarget(0.25, 6.0), StageTarget(0.5, 24.0))
    baselines = {"errors": share_of_requests(0.01, 5.0, correlation=0.1)}
    rollout = Rollout(plan, baselines, stages, Arrivals(5000.0), maximum_hours=72.0, ticks=120)
    factors = (2.0, 3.0, 5.0, 10.0, 20.0)
    scenarios = [Scenario(f"{factor:g}", {"errors": factor - 1.0}) for factor in factors]
    found = simulate(rollout, scenarios, runs=runs)
    return [{"x": f, "y": o.candidate_units, "halt": o.halt} for f, o in zip(factors, found, strict=True)]


def sensitivities() -> Rows:
    """The smallest relative change that is seen after so many days, at three rates of new users."""
    days = list(range(1, 29))
    rows: Rows = []
    for first_hour in (50.0, 200.0, 1000.0):
        found = sensitivity(share(0.1), Arrivals(first_hour), [float(day) for day in days], share=0.5) / 0.1
        name = f"{first_hour:,.0f} new users an hour"
        rows += [{"x": day, "y": float(y), "line": name} for day, y in zip(days, found, strict=True)]
    return rows
