"""Many rollouts of one plan at once: draw, judge at every tick, decide at looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.contrast import lower_tail
from experiments.stats.core.types import MetricPlan, Role
from experiments.stats.judging.cells import Cells, arrange, candidates_of
from experiments.stats.judging.harm import anytime_alpha, is_burnt_in, log_harm
from experiments.stats.judging.heavy_users import with_failing_heavy_users
from experiments.stats.judging.noninferiority import harm_contrast, look_contrast, observed_sign
from experiments.stats.metrics import KINDS
from experiments.stats.sequential import anytime
from experiments.stats.simulation.course import Course, Tick, cells_of, course_of, heavy_at
from experiments.stats.simulation.draws import Arm
from experiments.stats.simulation.outcome import Outcome, Runs
from experiments.stats.simulation.scenario import Rollout, Scenario

Places = np.ndarray[tuple[int], np.dtype[np.intp]]
Value = TypeVar("Value", bound=np.generic)


def simulate(
    rollout: Rollout, scenarios: Sequence[Scenario], *, runs: int = 1000, seed: int = 1
) -> tuple[Outcome, ...]:
    """Chances of promote, halt and inconclusive, mean duration and units exposed, for each scenario.

    The evidence of harm and the verdicts are the judge's own. Looks come at the plan's expected information, metrics
    are drawn independently of each other, and a harm is there from the start. The same seed gives the same result.

    Raises:
        InvalidPlan: as `judge`.
        InvalidArgument: `baseline-missing`, `ticks-range`, `hours-range`.

    >>> from experiments.stats.planning import Arrivals, StageTarget
    >>> from experiments.stats.planning.baseline import share
    >>> from experiments.stats.core.types import Direction, JudgePlan, MetricType
    >>> errors = MetricPlan("errors", MetricType.PROPORTION, Direction.DECREASE, Role.GUARDRAIL, margin=0.25)
    >>> plan = JudgePlan((errors,), "control", {"control": 0.5, "new": 0.5})
    >>> stages = [StageTarget(0.1, 1.0), StageTarget(1.0, 4.0)]
    >>> rollout = Rollout(plan, {"errors": share(0.05)}, stages, Arrivals(2000.0), maximum_hours=72.0, ticks=20)
    >>> (bad,) = simulate(rollout, [Scenario("errors doubled", {"errors": 1.0})], runs=100)
    >>> bad.halt > 0.95
    True
    """
    rollout.check()
    course = course_of(rollout)
    return tuple(
        _simulate_one(rollout, course, scenario, runs, np.random.default_rng([seed, number]))
        for number, scenario in enumerate(scenarios)
    )


def _simulate_one(
    rollout: Rollout, course: Course, scenario: Scenario, count: int, rng: np.random.Generator
) -> Outcome:
    runs, arms = Runs.of(count, len(cells_of(rollout.plan))), _Arms.of(rollout, scenario, count)
    for place, tick in enumerate(course.ticks):
        arms.grow(tick, rng)
        under_way = runs.under_way
        if not under_way.size:
            break
        with np.errstate(all="ignore"):
            cells = arms.cells(under_way, heavy_at(rollout, tick))
            halted = under_way[_is_harmful(rollout, cells)]
            runs.halted[halted] = True
            runs.end(halted, tick.hours, sum(tick.candidates))
            if place in course.looks:
                _decide(rollout, course, course.looks.index(place), runs, cells, under_way, tick)
    return runs.outcome(scenario.name)


@dataclass(slots=True)
class _Arms:
    """Every metric in every arm, in all runs."""

    cells_of_plan: list[tuple[MetricPlan, str]]
    candidates: tuple[str, ...]
    control: dict[str, Arm]
    treated: dict[tuple[str, str], Arm]

    @classmethod
    def of(cls, rollout: Rollout, scenario: Scenario, count: int) -> "_Arms":
        metrics, candidates = rollout.plan.metrics, candidates_of(rollout.plan)
        return cls(
            cells_of(rollout.plan),
            candidates,
            {metric.key: Arm.of(KINDS[metric.type], rollout.baselines[metric.key], 0.0, count) for metric in metrics},
            {
                (metric.key, name): Arm.of(
                    KINDS[metric.type], rollout.baselines[metric.key], scenario.effects.get(metric.key, 0.0), count
                )
                for metric in metrics
                for name in candidates
            },
        )

    def grow(self, tick: Tick, rng: np.random.Generator) -> None:
        for arm in self.control.values():
            arm.grow(tick.control, rng)
        for (_, name), arm in self.treated.items():
            arm.grow(tick.candidates[self.candidates.index(name)], rng)

    def cells(self, runs: Places, heavy: Floats) -> Cells:
        """The cells of these runs, all runs of a cell beside each other; `heavy` is of each cell of the plan."""
        treated = [self.treated[metric.key, name].sums(runs) for metric, name in self.cells_of_plan]
        control = [self.control[metric.key].sums(runs) for metric, _ in self.cells_of_plan]
        metrics = [metric for metric, _ in self.cells_of_plan for _ in range(runs.size)]
        variants = [name for _, name in self.cells_of_plan for _ in range(runs.size)]
        new, old = SumsColumns.joined(treated), SumsColumns.joined(control)
        return arrange(metrics, variants, new, old, heavy=np.repeat(heavy, runs.size))


def _by_cell(rollout: Rollout, columns: NDArray[Value]) -> NDArray[Value]:
    """From one entry a cell and run to shape (runs, cells)."""
    return columns.reshape(len(cells_of(rollout.plan)), -1).T


def _is_harmful(rollout: Rollout, cells: Cells) -> Flags:
    guarded = np.array([metric.role is Role.GUARDRAIL for metric, _ in cells_of(rollout.plan)])
    if not guarded.any():
        return np.zeros(len(cells.metrics) // guarded.size, dtype=np.bool_)
    log_e = _by_cell(rollout, log_harm(rollout.plan, cells))[:, guarded]
    combined = anytime.averaged(np.where(np.isnan(log_e), -np.inf, log_e))
    return np.asarray(combined >= -np.log(anytime_alpha(rollout.plan)), dtype=np.bool_)


def _decide(
    rollout: Rollout, course: Course, look: int, runs: Runs, cells: Cells, under_way: Places, tick: Tick
) -> None:
    """Halt at the look, or promote the runs in which a candidate has all it needs, and end those in which none can.

    A guardrail that is shown to be beyond its margin is watched on until it has nothing left to spend.
    """
    as_seen = harm_contrast(cells, observed_sign(cells), look_contrast)
    seen, z = (
        _by_cell(rollout, special.ndtri(lower_tail(each)))
        for each in (as_seen, with_failing_heavy_users(cells, as_seen))
    )
    before = runs.shown[under_way]
    critical = course.critical[look]
    plan_cells = cells_of(rollout.plan)
    is_goal = np.array([metric.role is Role.GOAL for metric, _ in plan_cells])
    shown, ruled_out = (z <= -critical) | before, (is_goal & (seen >= critical)) | course.spent[look]
    runs.shown[under_way] = shown
    harmed = (seen >= course.halting[look]) & _by_cell(rollout, is_burnt_in(rollout.plan, cells))
    halted = under_way[harmed.any(axis=1) & np.isnan(runs.hours[under_way])]
    runs.halted[halted] = True
    runs.end(halted, tick.hours, sum(tick.candidates))
    promoted, hopeless = np.zeros(z.shape[0], dtype=np.bool_), np.ones(z.shape[0], dtype=np.bool_)
    for name in candidates_of(rollout.plan):
        mine = [place for place, (m, v) in enumerate(plan_cells) if v == name and m.role is not Role.OBSERVED]
        promoted |= shown[:, mine].all(axis=1)
        hopeless &= (~shown & ruled_out)[:, mine].any(axis=1)
    still = np.isnan(runs.hours[under_way])
    runs.promoted[under_way[still & promoted]] = True
    is_last = look == len(course.looks) - 1
    runs.end(under_way[still & (promoted | hopeless | is_last)], tick.hours, sum(tick.candidates))
