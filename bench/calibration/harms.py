"""Harms a little beyond the margin: halted, said, missed, and how many users they harm until then."""

import numpy as np
from numpy.typing import NDArray

from bench.calibration.guarded import End, Rollouts, arrivals, roll_out
from bench.calibration.production import Values
from bench.calibration.rows import Row, chance_at_least, chance_at_most, standard_error
from experiments.stats.core.types import Direction, JudgePlan, MarginKind, MetricPlan, MetricType, Role

RATE, MARGIN = 0.05, 0.02
USERS, TICKS, LOOKS = 3600, 40, 20
"""Users of each arm; about all of the planned information is there at the end."""

METRIC = MetricPlan(
    "failed users",
    MetricType.PROPORTION,
    Direction.DECREASE,
    Role.GUARDRAIL,
    margin=MARGIN,
    margin_kind=MarginKind.ABSOLUTE,
)
PLAN = JudgePlan((METRIC,), "control", {"control": 0.5, "new": 0.5}, looks=LOOKS)


def harms(runs: int) -> list[Row]:
    """5 % of users fail, 2 points more are accepted; the candidate's harm is so many times that."""
    rows, runs = [], max(runs // 2, 1)
    for number, times in enumerate((0.0, 1.0)):
        found = _rollouts(np.random.default_rng([52, number]), runs, times)
        halted = int((found.end == End.HALTED).sum())
        rows.append(chance_at_most(f"false halts, harm of {times:g} margins", 0.01, halted, runs))
    for number, times in enumerate((1.25, 1.5, 2.0, 4.0)):
        rows += _rows(times, _rollouts(np.random.default_rng([53, number]), runs, times), runs)
    return rows


def _rows(times: float, found: Rollouts, runs: int) -> list[Row]:
    halted, said, missed, promoted = (found.share(end) for end in (End.HALTED, End.SAID, End.MISSED, End.PROMOTED))
    users = np.linspace(USERS / TICKS, USERS, TICKS)[found.tick]
    harmed = users * MARGIN * times
    text = f"{halted:.3f} halted, {said:.3f} said, {missed:.3f} missed, {promoted:.3f} promoted"
    rows = [
        Row(f"harm of {times:g} margins", "none set", text, runs, standard_error(halted, runs), holds=True),
        Row(
            f"users harmed until the end, harm of {times:g} margins",
            "none set",
            f"{harmed.mean():.0f} (9 of 10 below {np.quantile(harmed, 0.9):.0f})",
            runs,
            float(harmed.std()) / runs**0.5,
            holds=True,
        ),
    ]
    if times >= 2.0:
        told = int(np.isin(found.end, (End.HALTED, End.SAID)).sum())
        rows.append(chance_at_least(f"halted or said, harm of {times:g} margins", PLAN.power, told, runs))
    return rows


def _rollouts(rng: np.random.Generator, runs: int, times: float) -> Rollouts:
    def draw(places: NDArray[np.int64], treated: bool) -> tuple[Values, Values]:
        shape = (runs, places.size)
        rate = RATE + (MARGIN * times if treated else 0.0)
        return (rng.random(shape) < rate).astype(np.float64), np.ones(shape)

    return roll_out(PLAN, arrivals(draw, np.linspace(USERS / TICKS, USERS, TICKS).astype(np.int64), runs))
