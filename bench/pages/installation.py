"""An installation to look at: many experiments, and a busy one with all that ticks leave of a month."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from controlplane.audit.actors import SLUICE
from experiments.course.keep_point import keep_point, thin_out
from experiments.course.points import ArmCounts, CourseContent, effects_of, write_content
from experiments.decide import Decision, DecisionKind
from experiments.evidence import CollectedEvidence, LakeVersion
from experiments.lifecycle.append_decision import append_decision
from experiments.models import CoursePoint, Experiment, State
from experiments.stats.core.types import Evidence
from experiments.stats.health.last_answers import LastAnswers
from tests.experiments.views.findings import found, measured, running
from tests.factories.drafts import draft

DAYS = 30
REQUESTS_AN_HOUR = 5_000_000 // (24 * DAYS)
ANALYSES = 30
DECISIONS = 200


def make_experiments(count: int) -> None:
    """Drafts, of which every other one was halted long ago."""
    now = timezone.now()
    with transaction.atomic():
        for number in range(count):
            draft(f"draft-{number}", traffic=10)
        ended = Experiment.objects.filter(pk__in=list(Experiment.objects.values_list("pk", flat=True)[::2]))
        ended.exclude(key="draft-0").update(
            state=State.HALTED,
            state_reason="Error rate was worse than its margin.",
            started_at=now,
            stage_entered_at=now,
            ended_at=now,
        )


class Busy:
    """A running experiment with 5 million requests."""

    def __init__(self) -> None:
        self._experiment = running("busy", traffic=50)
        began = timezone.now() - timedelta(days=DAYS)
        Experiment.objects.filter(pk=self._experiment.pk).update(started_at=began, stage_entered_at=began)
        self._results = found()
        points = [
            CoursePoint(experiment=self._experiment, at=began + timedelta(hours=hour), content=self._content(hour))
            for hour in range(24 * DAYS)
        ]
        latest = timezone.now() - timedelta(hours=3)
        points += [
            CoursePoint(
                experiment=self._experiment, at=latest + timedelta(minutes=minute), content=self._content(24 * DAYS)
            )
            for minute in range(180)
        ]
        CoursePoint.objects.bulk_create(points)
        thin_out(self._experiment, timezone.now())
        for number in range(ANALYSES):
            self._analysed(seconds_ago=10 * (ANALYSES - number))
        for number in range(DECISIONS):
            said = Decision(DecisionKind.HOLD, f"cause-{number % 7}", "The stage has not soaked.")
            append_decision(self._experiment, said, actor=SLUICE, analysis=self._experiment.analyses.first())

    def tick(self) -> None:
        """A new analysis, and its point."""
        self._analysed(seconds_ago=0)
        requests = dict.fromkeys(("control", "better"), 24 * DAYS * REQUESTS_AN_HOUR // 2)
        answers = {arm: LastAnswers(1000, 0, count, 10) for arm, count in requests.items()}
        evidence = Evidence(dict.fromkeys(requests, 1000), {})
        seen = CollectedEvidence(evidence, LakeVersion(1, 1), requests, 0, None, last_answers=answers)
        keep_point(self._experiment, seen, self._results, timezone.now())

    def _analysed(self, seconds_ago: float) -> None:
        """An analysis without its point, which is of few requests."""
        measured(self._experiment, self._results, seconds_ago=seconds_ago)
        self._experiment.course.latest("pk").delete()

    def _content(self, hours: int) -> dict[str, object]:
        requests = hours * REQUESTS_AN_HOUR // 2
        arms = {arm: ArmCounts(requests, requests // 10, requests // 100) for arm in ("control", "better")}
        return write_content(CourseContent(arms, effects_of(self._results)))
