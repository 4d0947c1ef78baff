"""Sums by arm and start that grow, batch by batch, by what units add now less what they added before."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, zip_longest

import numpy as np

from experiments.evidence.metric_sums import distinct_measures
from experiments.evidence.state.came import all_arms
from experiments.evidence.state.pairs import paired_sums, paired_totals
from experiments.evidence.state.products import Weighted, signed_steps, weighted_sums, whole_totals
from experiments.evidence.state.sums import EdgeArm, Kept, Row, Sums
from experiments.evidence.state.units import IN_TWO_ARMS, MOST_EDGE_ARMS, UnitSteps, Whole

Columns = dict[str, list[int]]


class Growing:
    """What came to the sums so far."""

    def __init__(self, kept: Kept, edge_arms: Sequence[EdgeArm]) -> None:
        self._kept = kept
        self._edge_arms = edge_arms
        self._arms = arms = all_arms(edge_arms)
        self._moments = np.array(kept.moments, np.int64)
        self._totals = distinct_measures(kept.metrics)
        self._whole_totals = distinct_measures(kept.of_all)
        self._since: Columns = defaultdict(lambda: [0] * (len(arms) * len(self._moments)))
        self._of_all: Columns = defaultdict(lambda: [0] * len(arms))
        self._pairs: Columns = defaultdict(lambda: [0] * len(arms))
        self._failed_last = np.zeros(len(arms), np.int64)
        self._bits = np.arange(min(len(edge_arms), MOST_EDGE_ARMS))
        self._seen = np.zeros(len(self._bits), np.int64)
        self._in_two_arms = 0
        self._newest = 0

    def change(self, before: UnitSteps, after: UnitSteps) -> None:
        """Some units are not any more as they were before."""
        count = len(self._arms)
        steps = [signed_steps(units, self._moments, count, sign) for units, sign in ((after, 1), (before, -1))]
        _add(self._since, weighted_sums(self._kept.metrics, self._totals, Weighted.joined(steps)))
        wholes = [whole_totals(units, count, sign) for units, sign in ((after, 1), (before, -1))]
        _add(self._of_all, weighted_sums(self._kept.of_all, self._whole_totals, Weighted.joined(wholes)))
        came, went = (np.bincount(units.arms[units.failed_last], minlength=count) for units in (after, before))
        self._failed_last += came - went
        self._seen += self._seen_at(after) - self._seen_at(before)
        self._in_two_arms += _in_two_arms(after) - _in_two_arms(before)
        self._newest = max(self._newest, int(after.newest.max()))

    def change_pasts(self, before: UnitSteps, after: UnitSteps, past_before: Whole, past_after: Whole) -> None:
        """Some units, or their pasts, are not any more as they were before."""
        count = len(self._arms)
        both = ((after, past_after, 1), (before, past_before, -1))
        totals = [paired_totals(units, pasts, count, sign) for units, pasts, sign in both]
        _add(self._pairs, paired_sums(self._kept, Weighted.joined(totals)))

    def added_to(self, sums: Sums, version: int) -> Sums:
        """The sums with what came, at a version of the lake."""
        failed = dict(zip(self._arms, self._failed_last.tolist(), strict=True))
        return replace(
            sums,
            version=version,
            edge_arms=tuple(self._edge_arms),
            seen=tuple(one + more for one, more in zip_longest(sums.seen, self._seen.tolist(), fillvalue=0)),
            newest=max(sums.newest, self._newest),
            in_two_arms=sums.in_two_arms + self._in_two_arms,
            failed_last=_added(sums.failed_last, failed),
            rows={moment: self._with(sums.rows.get(moment, {}), rows) for moment, rows in self._rows_since().items()},
            of_all=self._with(sums.of_all, self._rows(self._of_all, 0, 1)),
            pairs=self._with(sums.pairs, self._rows(self._pairs, 0, 1)) if self._kept.adjusted else {},
        )

    def _seen_at(self, units: UnitSteps) -> Whole:
        """How many of the units each pair of an edge and an arm saw."""
        return np.array([np.count_nonzero(units.seen >> bit & 1) for bit in self._bits], np.int64)

    def _rows_since(self) -> Mapping[int, Mapping[str, Row]]:
        """By start and arm. What counts since a start is what all starts from it on have."""
        count = len(self._moments)
        summed = {}
        for name, column in self._since.items():
            parts = (column[begin : begin + count] for begin in range(0, len(column), count))
            summed[name] = [each for part in parts for each in [*accumulate(reversed(part))][::-1]]
        return {moment: self._rows(summed, place, count) for place, moment in enumerate(self._kept.moments)}

    def _rows(self, columns: Columns, place: int, width: int) -> Mapping[str, Row]:
        return {
            arm: {name: column[number * width + place] for name, column in columns.items()}
            for number, arm in enumerate(self._arms)
        }

    def _with(self, known: Mapping[str, Row], more: Mapping[str, Row]) -> Mapping[str, Row]:
        return {arm: _added(known.get(arm, {}), more[arm]) for arm in self._arms}


def _add(columns: Columns, more: Mapping[str, Sequence[int]]) -> None:
    for name, column in more.items():
        columns[name] = [one + other for one, other in zip(columns[name], column, strict=True)]


def _added(known: Mapping[str, int], more: Mapping[str, int]) -> Row:
    return {name: known.get(name, 0) + more.get(name, 0) for name in {**known, **more}}


def _in_two_arms(units: UnitSteps) -> int:
    return int(np.count_nonzero(units.arms == IN_TWO_ARMS))
