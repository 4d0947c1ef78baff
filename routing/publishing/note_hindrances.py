"""Keep what could not be published as it is wanted, until it is fixed."""

from collections.abc import Collection

import structlog
from django.utils import timezone

from controlplane.problems.problem import Problem
from routing import models
from routing.table import Hindrance

log = structlog.get_logger(__name__)


def note_hindrances(found: Collection[Hindrance]) -> None:
    """Bring the rows in line with what was found; nothing is written where nothing changed."""
    problems = {hindrance.subject: hindrance.problem for hindrance in found}
    known = {row.subject: row for row in models.Hindrance.objects.all()}
    fixed = known.keys() - problems
    if fixed:
        models.Hindrance.objects.filter(subject__in=fixed).delete()
        log.info("published as it is wanted again", subjects=sorted(fixed))
    for subject, problem in problems.items():
        if subject not in known or known[subject].detail != problem.detail:
            _note(subject, problem)


def _note(subject: str, problem: Problem) -> None:
    log.error("not published as it is wanted", subject=subject, code=problem.code, detail=problem.detail)
    told = {"code": problem.code, "detail": problem.detail, "next_step": problem.next_step}
    created = {**told, "since": timezone.now()}
    models.Hindrance.objects.update_or_create(subject=subject, defaults=told, create_defaults=created)
