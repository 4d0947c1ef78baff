"""A metric of a plan that is adjusted by what the same users did before the experiment: from the lake to the page."""

from datetime import datetime, timedelta

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from controlplane.problems.errors import InvalidInput
from experiments.actions.halt import halt_by_hand
from experiments.actions.start import start
from experiments.loop.reconcile import reconcile
from experiments.models import Experiment
from experiments.plan.as_judged import metric_definitions
from routing.lake.schema import REQUESTS
from tests.experiments.loop.evidence import fresh, later
from tests.factories.drafts import draft, draft_data
from tests.factories.rows import request_row, store
from tests.visitors.roles import text, visitor

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

USERS = 200


@pytest.fixture(autouse=True)
def lake(own_lake: str) -> str:
    return own_lake


def plan(**changes: object) -> dict[str, object]:
    metrics = [{"metric": "requests-per-user", "role": "goal", "minimum_effect": 0.1, "covariate": True}]
    return {**draft_data()["plan"], "metrics": metrics, **changes}


def fill(lake: str, experiment: Experiment, *, days_before: float, more_of_candidate: int = 0) -> None:
    """200 users of each variant who send 1 to 4 requests, and as many before, or one more."""
    assert experiment.started_at is not None
    before = experiment.started_at - timedelta(days=days_before)
    rows = []
    for number in range(2 * USERS):
        for request in range(1 + number // 2 % 4):
            rows.append(row(experiment, number, f"{number}-{request}", later(experiment, 1)))
            rows.append(row(None, number, f"{number}-{request}-before", before))
        more = number // 8 % 2 + more_of_candidate * (number % 2)
        rows += [row(None, number, f"{number}-more", before)] * more
    store(lake, REQUESTS, rows)


def row(experiment: Experiment | None, number: int, name: str, time: datetime) -> dict[str, object]:
    """One request; before the experiment it is of none."""
    return request_row(
        name,
        unit=number,
        time=time.isoformat(),
        experiment=experiment.key if experiment else None,
        variant=("control", "better")[number % 2] if experiment else None,
        endpoint="chat",
    )


def results(lake: str, *, days_before: float, covariate_days: int = 3, behind: int = 0) -> dict[str, object]:
    """With so many requests of half the users by an edge whose clock is a minute behind."""
    experiment = draft(plan=plan(covariate_days=covariate_days))
    start(experiment, actor=SLUICE)
    fill(lake, experiment, days_before=days_before)
    early = [row(experiment, each % USERS, f"{each}-behind", later(experiment, -60)) for each in range(behind)]
    store(lake, REQUESTS, early)
    reconcile(fresh(experiment), now=later(experiment, 30))
    [analysis] = visitor(Role.VIEWER).get("/api/v1/experiments/canary/analyses").json()["results"]
    return next(found for found in analysis["results"]["metrics"] if found["metric"] == "requests-per-user")


def test_it_is_adjusted_and_the_page_says_so(lake: str) -> None:
    found = results(lake, days_before=2)
    assert found["variance_removed"] == pytest.approx(0.83, abs=0.01)
    assert found["not_adjusted"] == ""
    experiment = Experiment.objects.get()
    seen = " ".join(text(visitor(Role.VIEWER), "/experiments/canary").split())
    assert "adjusted for what users did before, which removed 83% of the variance" in seen
    assert "adjusted by up to 3 days before" in seen
    sums = experiment.analyses.get().evidence["sums"]
    adjusted = {each["variant"] for each in sums if each["metric"] == "requests-per-user" and "adjustment" in each}
    assert adjusted == {"control", "better"}


def test_days_before_those_of_the_plan_do_not_count(lake: str) -> None:
    found = results(lake, days_before=4)
    assert found["variance_removed"] is None
    assert found["not_adjusted"] == "An arm has fewer than 30 units with a past, too few to learn from it."


def test_arms_that_differed_before_keep_from_promotion_and_it_is_told(lake: str) -> None:
    experiment = draft(plan=plan())
    start(experiment, actor=SLUICE)
    fill(lake, experiment, days_before=2, more_of_candidate=2)
    reconcile(fresh(experiment), now=later(experiment, 30))
    found = experiment.analyses.get().results
    [finding] = [each for each in found["findings"] if each["code"] == "pre-period-imbalance"]
    assert (finding["subject"], finding["severity"]) == ("requests-per-user, better", "blocks-promotion")
    assert all("differed before the exposure" in each["not_adjusted"] for each in found["metrics"][:1])
    assert finding["sentence"] in text(visitor(Role.VIEWER), "/experiments/canary")


def test_what_cannot_be_adjusted_is_refused_by_its_field() -> None:
    metrics = [{"metric": "error-rate", "role": "guardrail", "margin": 0.03, "margin_kind": "absolute"}]
    with pytest.raises(InvalidInput) as caught:
        draft(plan=plan(metrics=[{**metrics[0], "covariate": True}]))
    assert caught.value.code == "no-covariate"
    assert [problem.field for problem in caught.value.problems] == ["plan.metrics.0.covariate"]


def test_what_an_edge_that_is_behind_tells_of_it_is_not_its_past(lake: str) -> None:
    found = results(lake, days_before=2, behind=2_000)
    assert found["variance_removed"] == pytest.approx(0.83, abs=0.01)


def test_what_an_experiment_before_did_to_them_is_not_what_they_are(lake: str) -> None:
    first = draft("first", plan=plan(covariate_days=3))
    start(first, actor=SLUICE)
    halt_by_hand(first, actor=SLUICE, reason="harm")
    ended = fresh(first).ended_at
    assert ended is not None
    second = draft("second", plan=plan(covariate_days=3))
    start(second, actor=SLUICE)
    [past] = {definition.past for definition in metric_definitions(fresh(second)) if definition.past}
    assert past.since == ended
    Experiment.objects.filter(pk=first.pk).update(ended_at=ended - timedelta(days=4))
    [past] = {definition.past for definition in metric_definitions(fresh(second)) if definition.past}
    began = fresh(second).started_at
    assert began is not None
    assert past.since == began - timedelta(days=3)
