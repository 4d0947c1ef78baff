"""A lake of its own for the analyses of a test, with 300 users in each arm of an experiment."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from experiments.models import Experiment
from routing.lake.schema import REQUESTS
from tests.factories.rows import request_row, store

USERS = 300


def rows(experiment: Experiment, variant: str, errors: int, first_unit: int) -> Iterator[dict[str, Any]]:
    """One request of each of 300 users, one in each two seconds, the first of them with an error."""
    assert experiment.started_at is not None
    for number in range(USERS):
        yield request_row(
            f"{variant}-{number}",
            time=(experiment.started_at + timedelta(seconds=2 * number)).isoformat(),
            unit=first_unit + number,
            experiment=experiment.key,
            variant=variant,
            stage=0,
            status=500 if number < errors else 200,
        )


def measure(lake: str, experiment: Experiment, *, control_errors: int, candidate_errors: int) -> None:
    """Have both arms' users in the lake, so many of them with an error."""
    control = rows(experiment, "control", control_errors, first_unit=0)
    candidate = rows(experiment, "better", candidate_errors, first_unit=USERS)
    store(lake, REQUESTS, [*control, *candidate])


def later(experiment: Experiment, seconds: float) -> datetime:
    """So long after the experiment entered its stage."""
    assert experiment.stage_entered_at is not None
    return experiment.stage_entered_at + timedelta(seconds=seconds)


def fresh(experiment: Experiment) -> Experiment:
    """As it is in the database now."""
    return Experiment.objects.get(pk=experiment.pk)
