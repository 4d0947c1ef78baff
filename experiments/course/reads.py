"""Reads of an experiment's course."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog

from experiments.course.points import CourseContent, read_content
from experiments.models import Experiment

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Point:
    """What had been seen by a moment."""

    at: datetime
    content: CourseContent


def read_course(experiment: Experiment) -> list[Point]:
    """All points in order of time; without those that this release cannot read."""
    return list(_readable(experiment))


def _readable(experiment: Experiment) -> Iterator[Point]:
    for at, stored in experiment.course.order_by("at", "pk").values_list("at", "content"):
        try:
            yield Point(at, read_content(stored))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            log.warning("a point of a course is left out", experiment=experiment.key, reason=str(error))
