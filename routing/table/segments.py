"""From the spans of an endpoint's experiments to its buckets in order."""

from collections.abc import Iterable, Iterator

from routing.table.types import BUCKETS, FULL_COVERAGE, Arm, Endpoint, RunningExperiment, Segment


def covered(arm: Arm, coverage: int) -> int:
    """How many buckets of the arm's span are in: to the nearest, at least one above zero coverage.

    It never falls when the coverage grows, so a unit that is in stays in.
    """
    share = ((arm.end - arm.start) * coverage + FULL_COVERAGE // 2) // FULL_COVERAGE
    return max(share, 1) if coverage > 0 else 0


def segments(endpoint: Endpoint, experiments: Iterable[RunningExperiment] | None = None) -> tuple[Segment, ...]:
    """The endpoint's buckets from 0 to 9 999 in order, as runs; the weights sum to 10 000.

    Spans that are not in get the endpoint's own backend, unmeasured; so do those of experiments other than the given
    ones, which are all of the endpoint's unless told otherwise. Assumes a table without problems.
    """
    return tuple(_segments(endpoint, endpoint.experiments if experiments is None else experiments))


def _segments(endpoint: Endpoint, experiments: Iterable[RunningExperiment]) -> Iterator[Segment]:
    arms = [(arm, experiment) for experiment in experiments for arm in experiment.arms]
    reached = 0
    for arm, experiment in sorted(arms, key=lambda pair: pair[0].start):
        width = covered(arm, experiment.coverage)
        if width == 0:
            continue
        if arm.start > reached:
            yield Segment(arm.start - reached, endpoint.backend)
        yield Segment(width, arm.backend, experiment.key, arm.variant, experiment.stage, arm.parameters)
        reached = arm.start + width
    yield from _rest(endpoint, reached)


def _rest(endpoint: Endpoint, reached: int) -> Iterator[Segment]:
    """The buckets behind the last arm: free ones, then those held out."""
    free = BUCKETS - endpoint.holdout - reached
    if free > 0:
        yield Segment(free, endpoint.backend)
    if endpoint.holdout:
        yield Segment(endpoint.holdout, endpoint.backend, held_out=True)
