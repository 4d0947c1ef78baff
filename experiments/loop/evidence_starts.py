"""From when evidence of harm starts anew, for an experiment at a moment."""

from datetime import datetime, timedelta

from experiments.models import Experiment
from experiments.stats.judging.later import PART_OF_PLANNED, PART_OF_STAGES, Since
from experiments.stats.sequential.starts import STEPS, starts_in_use


def later_starts(experiment: Experiment, now: datetime) -> tuple[Since, ...]:
    """The present stage's start, unless it is the experiment's own, and the planned ones that are in use."""
    assert experiment.started_at is not None  # noqa: S101 - a constraint of the database
    tick = timedelta(seconds=experiment.plan.tick_seconds)
    planned = (
        Since(experiment.started_at + start.ticks * tick, PART_OF_PLANNED * start.share)
        for start in starts_in_use((now - experiment.started_at) / tick)
    )
    return (*_of_stage(experiment), *planned)


def coming_starts(experiment: Experiment, now: datetime) -> tuple[datetime, ...]:
    """The moments that evidence will start anew from within the next ticks.

    Also those of the next four: an edge whose clock is ahead has requests since them already.
    """
    assert experiment.started_at is not None  # noqa: S101 - a constraint of the database
    tick = timedelta(seconds=experiment.plan.tick_seconds)
    ticks = (now - experiment.started_at) / tick
    found = {start.ticks for later in (STEPS, 2 * STEPS) for start in starts_in_use(ticks + later)}
    return tuple(experiment.started_at + number * tick for number in sorted(found))


def _of_stage(experiment: Experiment) -> tuple[Since, ...]:
    entered = experiment.stage_entered_at
    if experiment.stage_index == 0 or entered is None:
        return ()
    later_stages = experiment.plan.stages.count() - 1
    return (Since(entered, PART_OF_STAGES / later_stages, stage=True),)
