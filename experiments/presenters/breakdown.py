"""An experiment's effects by dimension as its page shows them: those of one metric and candidate, in words."""

from collections.abc import Iterable
from dataclasses import dataclass

from experiments.exploration.content import ExplorationContent, SegmentSplit
from experiments.presenters.numbers import amount, change, change_interval, difference, difference_interval
from experiments.presenters.page_reads import Dossier
from experiments.stats.core.types import MetricResult
from experiments.stats.judging.breakdown import SegmentEffect

SMALLEST_SHOWN = 0.001


@dataclass(frozen=True, slots=True)
class SegmentLine:
    """One value of a dimension: users and values of control and candidate, and what differs between them.

    `stands_out` says that the difference is there after the correction, and `off` that users are not split as set.
    """

    value: str
    users: str
    control_value: str
    candidate_value: str
    change: str
    interval: str
    p_value: str
    stands_out: bool
    off: bool
    note: str


@dataclass(frozen=True, slots=True)
class DimensionTable:
    """One dimension."""

    name: str
    lines: tuple[SegmentLine, ...]


def dimension_tables(dossier: Dossier, content: ExplorationContent, result: MetricResult) -> list[DimensionTable]:
    """One table for each of the plan's dimensions that has users, the value with the most of them first."""
    effects = {
        (each.dimension, each.value): each
        for each in content.effects
        if (each.metric, each.variant) == (result.metric, result.variant)
    }
    tables = []
    for dimension in dossier.experiment.plan.dimensions:
        splits = [each for each in content.splits if each.dimension == dimension]
        lines = _lines(dossier, splits, effects)
        if lines:
            tables.append(DimensionTable(dimension, tuple(lines)))
    return tables


def _lines(
    dossier: Dossier, splits: Iterable[SegmentSplit], effects: dict[tuple[str, str], SegmentEffect]
) -> list[SegmentLine]:
    known = ((split, effects.get((split.dimension, split.value))) for split in splits)
    return [_line(dossier, split, effect) for split, effect in known if effect]


def _line(dossier: Dossier, split: SegmentSplit, effect: SegmentEffect) -> SegmentLine:
    unit = dossier.plan.labels[effect.metric].display_unit
    users = (split.units.get(arm, 0) for arm in (dossier.plan.control, effect.variant))
    relative = effect.relative is not None and effect.relative_interval is not None
    adjusted = effect.adjusted_p_value
    return SegmentLine(
        value=split.value,
        users=" and ".join(f"{count:,}" for count in users),
        control_value=_value(effect.control_value, unit),
        candidate_value=_value(effect.variant_value, unit),
        change=_change(effect, unit, relative=relative),
        interval=_interval(effect, unit, relative=relative),
        p_value="" if adjusted is None else _p_value(adjusted),
        stands_out=adjusted is not None and adjusted < dossier.experiment.plan.alpha,
        off=split.mismatch,
        note=effect.note,
    )


def _p_value(adjusted: float) -> str:
    return f"{adjusted:.2g}" if adjusted >= SMALLEST_SHOWN else f"below {SMALLEST_SHOWN:g}"


def _value(number: float | None, unit: str) -> str:
    return "not measured" if number is None else amount(number, unit)


def _change(effect: SegmentEffect, unit: str, *, relative: bool) -> str:
    if effect.effect is None:
        return ""
    return change(effect.relative) if relative and effect.relative is not None else difference(effect.effect, unit)


def _interval(effect: SegmentEffect, unit: str, *, relative: bool) -> str:
    if effect.effect is None:
        return ""
    return change_interval(effect.relative_interval) if relative else difference_interval(effect.interval, unit)
