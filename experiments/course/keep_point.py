"""Leave a point of an experiment's course, and take away what has aged."""

from datetime import datetime, timedelta

from experiments.course.ageing import passed_over
from experiments.course.points import ArmCounts, CourseContent, effects_of, write_content
from experiments.evidence import CollectedEvidence
from experiments.models import CoursePoint, Experiment
from experiments.stats.core.types import Results

THIN_OUT_EACH = timedelta(minutes=1)


def keep_point(experiment: Experiment, collected: CollectedEvidence, results: Results, now: datetime) -> None:
    """Store what had been seen by now."""
    last = experiment.course.order_by("-at").values_list("at", flat=True).first()
    content = CourseContent(_arms(collected), effects_of(results))
    CoursePoint.objects.create(experiment=experiment, at=now, content=write_content(content))
    if last is None or _minute(last) != _minute(now):
        thin_out(experiment, now)


def thin_out(experiment: Experiment, now: datetime) -> None:
    """Keep of each step of time the last point; the older the longer steps are."""
    points = experiment.course.order_by("at", "pk").values_list("pk", "at")
    CoursePoint.objects.filter(pk__in=passed_over(points, now)).delete()


def _arms(collected: CollectedEvidence) -> dict[str, ArmCounts]:
    return {arm: _counts(collected, arm, users) for arm, users in collected.evidence.units.items()}


def _counts(collected: CollectedEvidence, arm: str, users: int) -> ArmCounts:
    answers = collected.last_answers.get(arm)
    return ArmCounts(collected.requests.get(arm, 0), users, answers.failed if answers else None)


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
