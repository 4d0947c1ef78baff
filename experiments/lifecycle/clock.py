"""How long an experiment has soaked, by its own clock: it stands still while the experiment is paused or stopped."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from experiments.models import Experiment
from routing.kill_switch.stops import covered
from routing.models import Span, Stop


def still_spans(experiment: Experiment, stops: Iterable[Stop], since: datetime | None) -> list[Span]:
    """When the clock stood still since a moment: pauses, and these stops; they may overlap. None before the start."""
    if since is None:
        return []
    paused = experiment.pauses.filter(ended_at__gt=since).values_list("since", "ended_at")
    going_on: list[Span] = [(experiment.paused_at, None)] if experiment.paused_at else []
    return [*paused, *going_on, *(stop.span for stop in stops)]


def soaked(entered: datetime | None, still: Iterable[Span], now: datetime) -> timedelta:
    """How long the stage that was entered then has gone on, without the times in which the clock stood still.

    Never below zero, also where the clock on the wall was set back since; zero before the start.
    """
    if entered is None:
        return timedelta()
    return max(timedelta(), now - entered - covered(still, entered, now))
