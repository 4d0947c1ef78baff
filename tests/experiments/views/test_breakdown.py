"""An experiment's page and the API show its effects by dimension, from what is stored alone."""

from dataclasses import replace

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from controlplane.problems.problem import Problem
from experiments.actions.start import start
from experiments.exploration.content import ExplorationContent, SegmentSplit, write_content
from experiments.models import Experiment, Exploration
from experiments.stats.core.types import Interval
from experiments.stats.judging.breakdown import FEW, SegmentEffect
from tests.experiments.loop.evidence import later
from tests.experiments.views.findings import METRICS, STAGES, found, measured, running
from tests.factories.drafts import draft, draft_data
from tests.visitors.roles import text, visitor

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

FAR = SegmentEffect(
    dimension="edge",
    value="far",
    metric="requests-per-user",
    variant="better",
    control_value=4.0,
    variant_value=5.0,
    effect=1.0,
    relative=0.25,
    interval=Interval(0.4, 1.6),
    relative_interval=Interval(0.1, 0.4),
    p_value=0.0001,
    adjusted_p_value=0.0004,
    note="",
)
UNTOLD = replace(
    FAR, effect=None, relative=None, interval=None, relative_interval=None, p_value=None, adjusted_p_value=None
)
NEAR = replace(UNTOLD, value="near", note=FEW)
OTHER = replace(UNTOLD, metric="error-rate", note="Another metric.")
SPLITS = (
    SegmentSplit("edge", "far", {"control": 1510, "better": 1490}, -3.0),
    SegmentSplit("edge", "near", {"control": 90, "better": 20}, 12.5, mismatch=True),
)
OFF = Problem.of("segment-sample-ratio", "Where edge is near, users did not arrive in the set shares.", "Check near.")


@pytest.fixture
def experiment() -> Experiment:
    plan = {**draft_data()["plan"], "metrics": METRICS, "stages": STAGES, "maximum_seconds": 90 * 86_400}
    experiment = draft(plan={**plan, "dimensions": ["edge"]})
    start(experiment, actor=SLUICE)
    measured(experiment, found())
    return experiment


@pytest.fixture
def stored(experiment: Experiment) -> Exploration:
    content = write_content(ExplorationContent((FAR, NEAR, OTHER), SPLITS, (OFF,)))
    at = later(experiment, 60)
    return Exploration.objects.create(experiment=experiment, at=at, due_at=at, content=content, evidence_hash="1")


def page() -> str:
    return " ".join(text(visitor(Role.VIEWER), "/experiments/canary").split())


def test_the_page_says_what_differs_by_value(stored: Exploration) -> None:
    seen = page()
    assert '<th scope="row">far</th>' in seen
    assert '<td class="figure" data-label="Users">1,510 and 1,490</td>' in seen
    assert '<td class="figure" data-label="Change">+25.0 %</td>' in seen
    assert '<td class="figure" data-label="Interval">+10.0 to +40.0 %</td>' in seen
    assert 'data-label="Adjusted p">below 0.001 <small>stands out</small></td>' in seen
    assert FEW in seen
    assert "Another metric." not in seen


def test_the_page_says_where_users_are_not_split_as_set(stored: Exploration) -> None:
    seen = page()
    assert "Where edge is near, users did not arrive in the set shares." in seen
    assert "90 and 20 <small>not as set</small>" in seen


def test_before_the_first_time_the_page_says_when_it_appears(experiment: Experiment) -> None:
    assert "Appears some minutes after the first results." in page()


def test_the_page_of_a_plan_without_dimensions_has_none_of_it() -> None:
    measured(running(), found())
    assert "By dimension" not in page()


def test_the_api_answers_it(stored: Exploration) -> None:
    answer = visitor(Role.VIEWER).get("/api/v1/experiments/canary/exploration").json()
    assert answer["splits"][1] == {
        "dimension": "edge",
        "value": "near",
        "units": {"control": 90, "better": 20},
        "log_e_value": 12.5,
        "mismatch": True,
    }
    assert answer["effects"][0]["relative_interval"] == {"low": 0.1, "high": 0.4}
    assert answer["effects"][1]["interval"] is None
    assert answer["problems"][0]["code"] == "segment-sample-ratio"


def test_the_api_answers_nothing_before_the_first_time(experiment: Experiment) -> None:
    answer = visitor(Role.VIEWER).get("/api/v1/experiments/canary/exploration").json()
    assert answer == {"at": None, "splits": [], "effects": [], "problems": []}
