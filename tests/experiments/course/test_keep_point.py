"""Each tick leaves a point of the course: what it had seen, in bounded rows and bytes."""

import json
from datetime import datetime, timedelta
from math import inf

import pytest
from django.utils import timezone

from experiments.course.keep_point import keep_point
from experiments.course.points import ArmCounts, Effect
from experiments.course.reads import read_course
from experiments.evidence import CollectedEvidence, LakeVersion
from experiments.loop.reconcile import reconcile
from experiments.models import CoursePoint, Experiment
from experiments.stats.core.types import Evidence, Interval
from experiments.stats.health.last_answers import LastAnswers
from tests.experiments.loop.evidence import USERS, later, measure
from tests.experiments.views.findings import found, running

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


def seen(number: int) -> CollectedEvidence:
    """What there was to see at a tick: seven requests more each time, one of them without an answer."""
    arms = ("control", "better")
    answers = {arm: LastAnswers(number, 0, 7 * number, number) for arm in arms}
    evidence = Evidence(dict.fromkeys(arms, number), {})
    return CollectedEvidence(
        evidence, LakeVersion(1, 1), dict.fromkeys(arms, 7 * number), 0, None, last_answers=answers
    )


def test_ten_thousand_ticks_leave_bounded_rows_and_bytes() -> None:
    experiment, results = running(), found()
    began = timezone.now()
    for number in range(10_000):
        keep_point(experiment, seen(number), results, began + timedelta(seconds=10 * number))
    points = CoursePoint.objects.values_list("content", flat=True)
    assert 200 < len(points) < 350
    assert max(len(json.dumps(content)) for content in points) < 400
    assert read_course(experiment)[-1].content.arms["better"] == ArmCounts(7 * 9_999, 9_999, 9_999)


def test_a_point_has_what_the_tick_saw(own_lake: str) -> None:
    experiment = running()
    measure(own_lake, experiment, control_errors=3, candidate_errors=2)
    reconcile(experiment, now=later(experiment, 20))
    [point] = read_course(Experiment.objects.get())
    assert point.at == later(experiment, 20)
    assert point.content.arms == {"control": ArmCounts(USERS, USERS, 3), "better": ArmCounts(USERS, USERS, 2)}
    assert point.content.effects["error-rate", "better"].effect == pytest.approx(-1 / 3, rel=1e-5)


def test_an_open_end_comes_back() -> None:
    experiment = running()
    keep_point(experiment, seen(1), found(), later(experiment, 10))
    [point] = read_course(experiment)
    assert point.content.effects["requests-per-user", "better"] == Effect(0.25, Interval(0.1, 0.4), Interval(-inf, inf))


def test_what_cannot_be_read_is_left_out() -> None:
    experiment = running()
    moment: datetime = later(experiment, 10)
    for number, content in enumerate(({}, {"arms": {"control": "many"}, "effects": {}}, {"arms": [], "effects": {}})):
        CoursePoint.objects.create(experiment=experiment, at=moment + timedelta(seconds=number), content=content)
    keep_point(experiment, seen(1), found(), moment + timedelta(seconds=9))
    assert len(read_course(experiment)) == 1
