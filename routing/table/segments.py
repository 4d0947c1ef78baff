"""From the spans of an endpoint's experiments to its buckets in order."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from routing.table.basis_points import BUCKETS
from routing.table.division import width_at
from routing.table.types import Arm, Endpoint, Rule, RunningExperiment, Segment


def covered(arm: Arm, coverage: int) -> int:
    """How many buckets of the arm's span are in."""
    return width_at(arm.end - arm.start, coverage)


def segments(
    endpoint: Endpoint, experiments: Iterable[RunningExperiment] | None = None, rule: Rule | None = None
) -> tuple[Segment, ...]:
    """The endpoint's buckets from 0 to 9 999 in order, as runs; the weights sum to 10 000.

    Spans that are not in get what the rule says, or the endpoint's own backend and parameters, unmeasured; so do those
    of experiments other than the given ones, which are all of the endpoint's unless told otherwise. Assumes a table
    without problems.
    """
    taken = endpoint.experiments if experiments is None else experiments
    return tuple(_segments(endpoint, taken, untaken(endpoint, rule)))


def untaken(endpoint: Endpoint, rule: Rule | None = None) -> Segment:
    """All buckets as one run while no experiment takes any: what the rule says, or the endpoint's own."""
    if rule is None:
        return Segment(BUCKETS, endpoint.backend, parameters=endpoint.parameters)
    return Segment(BUCKETS, rule.backend, parameters=rule.parameters, rule=rule.key)


def _segments(endpoint: Endpoint, experiments: Iterable[RunningExperiment], free: Segment) -> Iterator[Segment]:
    arms = [(arm, experiment) for experiment in experiments for arm in experiment.arms]
    reached = 0
    for arm, experiment in sorted(arms, key=lambda pair: pair[0].start):
        width = covered(arm, experiment.coverage)
        if width == 0:
            continue
        if arm.start > reached:
            yield replace(free, weight=arm.start - reached)
        yield Segment(width, arm.backend, experiment.key, arm.variant, experiment.stage, arm.parameters)
        reached = arm.start + width
    if reached < BUCKETS - endpoint.holdout:
        yield replace(free, weight=BUCKETS - endpoint.holdout - reached)
    if endpoint.holdout:
        yield replace(free, weight=endpoint.holdout, held_out=True)
