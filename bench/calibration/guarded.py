"""Many rollouts with one guardrail, tick by tick, by the judge's own evidence, looks and verdicts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from bench.calibration.production import Values
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.contrast import Contrast
from experiments.stats.core.spending import Look
from experiments.stats.core.types import JudgePlan, PastLooks, Verdict
from experiments.stats.judging.cells import Cells, arrange
from experiments.stats.judging.harm import anytime_alpha, log_harm
from experiments.stats.judging.heavy_users import with_failing_heavy_users
from experiments.stats.judging.looks import present_look
from experiments.stats.judging.noninferiority import harm_contrast, look_contrast, observed_sign
from experiments.stats.judging.shown import Conclusions, conclude

Flags = NDArray[np.bool_]
Places = NDArray[np.intp]
Arms = tuple[SumsColumns, SumsColumns]
"""The candidate's and the control's sums, one entry a run."""

NAME = "new"
STEP = 1e-9


class End(IntEnum):
    """How a rollout ends: `SAID` is inconclusive, and says that the guardrail is beyond its margin."""

    NONE = 0
    PROMOTED = 1
    HALTED = 2
    SAID = 3
    MISSED = 4


@dataclass
class Rollouts:
    """What became of each run, and at which tick.

    `fell` says whether a look had less information than one before it, and `unanswered` whether one had no verdict to
    give. `heavy` is what heavy units send, as the judge's evidence tells it, zero where nothing does. If
    `others_learn`, a slower metric asks for a look at each tick, however much information there is.
    """

    plan: JudgePlan
    end: NDArray[np.int64]
    tick: NDArray[np.int64]
    fell: Flags
    unanswered: Flags
    information: Values
    looks: dict[tuple[str, str], tuple[Look, ...]]
    others_learn: bool
    heavy: Values

    @classmethod
    def of(cls, plan: JudgePlan, runs: int, *, others_learn: bool) -> "Rollouts":
        """So many runs, none of which has ended."""
        no, zero = np.zeros(runs, dtype=np.bool_), np.zeros(runs, dtype=np.int64)
        return cls(plan, zero, zero.copy(), no, no.copy(), np.zeros(runs), {}, others_learn, np.zeros(runs))

    @property
    def under_way(self) -> Places:
        """Runs that have not ended."""
        return np.flatnonzero(self.end == End.NONE)

    def finish(self, runs: Places, end: End, tick: int) -> None:
        """End these runs."""
        self.end[runs], self.tick[runs] = end, tick

    def share(self, *ends: End) -> float:
        """Of all runs that ended so."""
        return float(np.isin(self.end, ends).mean())


def roll_out(
    plan: JudgePlan, ticks: Sequence[Arms], *, others_learn: bool = False, heavy: Sequence[Values] = ()
) -> Rollouts:
    """Each tick may halt, and is a look when the guardrail has a step more of its information, or is the last one.

    `heavy` is what heavy units send by then, if that is known.
    """
    found = Rollouts.of(plan, ticks[0][0].units.size, others_learn=others_learn)
    for number, arms in enumerate(ticks):
        last = number == len(ticks) - 1
        found.heavy = heavy[number] if heavy else found.heavy
        with np.errstate(all="ignore"):
            _halt(found, arms, number)
            _look(found, arms, number, last=last)
    return found


def _halt(found: Rollouts, arms: Arms, tick: int) -> None:
    runs = found.under_way
    if runs.size:
        log_e = log_harm(found.plan, _cells(found, arms, runs))
        found.finish(runs[log_e >= -np.log(anytime_alpha(found.plan))], End.HALTED, tick)


def _look(found: Rollouts, arms: Arms, tick: int, *, last: bool) -> None:
    runs = found.under_way
    runs = runs[_is_due(found, _cells(found, arms, runs), last=last)] if runs.size else runs
    if not runs.size:
        return
    cells = _cells(found, arms, runs)
    raw = _tested(cells).information
    found.fell[runs] |= raw < found.information[runs] * (1.0 - 1e-6)
    found.information[runs] = raw
    # The judge divides halt_alpha by the number of guardrails, and here each run has one of its own.
    beside = replace(found.plan, halt_alpha=found.plan.halt_alpha * runs.size)
    seen = conclude(beside, cells, np.zeros(runs.size, dtype=np.bool_), PastLooks(found.looks, last=last))
    found.unanswered[runs] |= ~np.isfinite(seen.critical) & (seen.look.fraction > 0.2)
    _remember(found, runs, seen)
    _decide(found, runs, seen, tick, last=last)


def _decide(found: Rollouts, runs: Places, seen: Conclusions, tick: int, *, last: bool) -> None:
    passed, failed = (np.array([v is wanted for v in seen.verdicts]) for wanted in (Verdict.PASS, Verdict.FAIL))
    over = ((seen.look.fraction >= 1.0) & (not found.others_learn)) | last
    found.finish(runs[passed], End.PROMOTED, tick)
    found.finish(runs[seen.harmed], End.HALTED, tick)
    found.finish(runs[~seen.harmed & failed & over], End.SAID, tick)
    found.finish(runs[~passed & ~failed & over], End.MISSED, tick)


def _remember(found: Rollouts, runs: Places, seen: Conclusions) -> None:
    pairs = zip(seen.look.information.tolist(), seen.look.fraction.tolist(), strict=True)
    for run, (information, fraction) in zip(runs.tolist(), pairs, strict=True):
        if information > 0.0:
            found.looks[str(run), NAME] = (*found.looks.get((str(run), NAME), ()), Look(information, fraction))


def _is_due(found: Rollouts, cells: Cells, *, last: bool) -> Flags:
    if found.others_learn:
        return np.ones(len(cells.metrics), dtype=np.bool_)
    information = _tested(cells).information
    fraction = present_look(found.plan, cells, information, PastLooks(found.looks)).fraction
    taken = [found.looks.get(name, ()) for name in cells.names]
    before = np.array([looks[-1].fraction if looks else 0.0 for looks in taken])
    number = np.array([len(looks) for looks in taken])
    steps = (fraction - before >= 1.0 / found.plan.looks - STEP) & (number < found.plan.looks - 1)
    return np.asarray(steps | ((fraction >= 1.0) & (before < 1.0)) | last, dtype=np.bool_)


def _tested(cells: Cells) -> Contrast:
    return with_failing_heavy_users(cells, harm_contrast(cells, observed_sign(cells), look_contrast))


def _cells(found: Rollouts, arms: Arms, runs: Places) -> Cells:
    metrics = [replace(found.plan.metrics[0], key=str(run)) for run in runs]
    candidate, control = (arm.at(runs) for arm in arms)
    return arrange(metrics, [NAME] * runs.size, candidate, control, heavy=found.heavy[runs])


def arrivals(
    draw: Callable[[NDArray[np.int64], bool], tuple[Values, Values]], users: NDArray[np.int64], runs: int
) -> list[Arms]:
    """Ticks at which so many users have come in each arm.

    `draw` gives the numerators and denominators, shape (runs, places), of the users at these places; of the candidate's
    if its second argument is true.
    """
    totals = [np.zeros((5, runs)) for _ in range(2)]
    ticks = []
    for start, stop in zip(np.concatenate(([0], users[:-1])), users, strict=True):
        for arm, treated in enumerate((True, False)):
            y, d = draw(np.arange(start, stop), treated)
            totals[arm] = totals[arm] + np.stack([each.sum(axis=1) for each in (y, d, y * y, d * d, y * d)])
        ticks.append(tuple(SumsColumns(np.full(runs, float(stop)), *total) for total in totals))
    return [(candidate, control) for candidate, control in ticks]
