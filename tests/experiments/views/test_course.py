"""An experiment's page and the API show its course over time, from what ticks stored alone."""

import pytest

from controlplane.models import Role
from experiments.models import CoursePoint
from tests.experiments.loop.evidence import later
from tests.experiments.views.findings import found, measured, running
from tests.visitors.roles import text, visitor

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

EFFECT = [0.25, 0.1, 0.4, None, None]


@pytest.fixture(autouse=True)
def _course() -> None:
    """Half an hour, in which the candidate begins to fail; there is no lake."""
    experiment = running()
    measured(experiment, found())
    CoursePoint.objects.all().delete()
    for minute in range(1, 31):
        arms = {"control": [60 * minute, minute, 0], "better": [60 * minute, minute, max(0, 6 * (minute - 20))]}
        content = {"arms": arms, "effects": {"requests-per-user": {"better": EFFECT}}}
        CoursePoint.objects.create(experiment=experiment, at=later(experiment, 60 * minute), content=content)


def test_the_page_draws_it_and_has_it_as_a_table() -> None:
    seen = " ".join(text(visitor(Role.VIEWER), "/experiments/canary").split())
    assert 'aria-label="Relative effect on Requests per user over time."' in seen
    assert 'aria-label="Requests over time by variant, and the share of them that failed."' in seen
    assert "Above: requests each minute." in seen
    assert '<td class="figure" data-label="better: requests">60</td>' in seen
    assert '<td class="figure" data-label="better: failed">10 %</td>' in seen
    assert '<td class="figure" data-label="At all times">no bounds yet</td>' in seen


def test_the_api_answers_it() -> None:
    points = visitor(Role.VIEWER).get("/api/v1/experiments/canary/course").json()
    assert len(points) == 30
    assert points[-1]["arms"]["better"] == {"requests": 1800, "users": 30, "failed": 60}
    assert points[-1]["effects"] == [
        {
            "metric": "requests-per-user",
            "variant": "better",
            "effect": 0.25,
            "interval": {"low": 0.1, "high": 0.4},
            "anytime": {"low": None, "high": None},
        }
    ]
