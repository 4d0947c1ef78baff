"""Effects by dimension are computed now and then, from what the lake has, and stored."""

from datetime import datetime, timedelta

import pytest

from controlplane.audit.actors import SLUICE
from experiments.actions.halt import halt_by_hand
from experiments.actions.start import start
from experiments.exploration.claim_due import claim_due_explorations
from experiments.exploration.explore import explore_experiment
from experiments.exploration.reads import read_exploration
from experiments.loop.reconcile import reconcile
from experiments.models import Experiment, Exploration
from experiments.stats.judging.breakdown import SegmentEffect
from routing.lake.schema import REQUESTS
from tests.experiments.loop.evidence import fresh, later
from tests.factories.drafts import draft, draft_data
from tests.factories.rows import request_row, store

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

USERS = 300
LONG = {"maximum_seconds": 90 * 86_400}


@pytest.fixture(autouse=True)
def lake(own_lake: str) -> str:
    return own_lake


@pytest.fixture
def experiment() -> Experiment:
    metrics = [{"metric": "error-rate", "role": "guardrail", "margin": 0.19, "margin_kind": "absolute"}]
    experiment = draft(plan={**draft_data()["plan"], "metrics": metrics, **LONG, "dimensions": ["edge", "client"]})
    start(experiment, actor=SLUICE)
    return experiment


def fill(lake: str, experiment: Experiment, *, control_at_far: int = USERS) -> None:
    """By each of two edges so many users of each variant; at the far one the candidate fails a fifth of them."""
    arms = [("near", "control", USERS), ("near", "better", USERS), ("far", "control", control_at_far)]
    rows = [
        request_row(
            f"{edge}-{variant}-{number}",
            time=later(experiment, 0).isoformat(),
            unit=1000 * at + number,
            experiment=experiment.key,
            edge=edge,
            variant=variant,
            status=500 if edge == "far" and variant == "better" and number % 5 == 0 else 200,
        )
        for at, (edge, variant, users) in enumerate([*arms, ("far", "better", USERS)])
        for number in range(users)
    ]
    store(lake, REQUESTS, rows)


def explored(experiment: Experiment, now: datetime) -> dict[tuple[str, str], SegmentEffect]:
    """What is stored after an analysis and an exploration at that moment."""
    reconcile(fresh(experiment), now=now)
    assert claim_due_explorations(now) == [experiment.pk]
    explore_experiment(fresh(experiment), now)
    effects = read_exploration(experiment).content.effects
    return {(each.dimension, each.value): each for each in effects if each.metric == "error-rate"}


def test_it_tells_where_the_harm_is(lake: str, experiment: Experiment) -> None:
    fill(lake, experiment)
    found = explored(experiment, later(experiment, 30))
    assert set(found) == {("edge", "near"), ("edge", "far"), ("client", "not told")}
    far, near = found["edge", "far"], found["edge", "near"]
    assert (far.control_value, far.variant_value) == (0.0, 0.2)
    assert far.interval is not None
    assert far.interval.low > 0.1
    assert far.adjusted_p_value is not None
    assert far.adjusted_p_value < 1e-9
    assert (near.effect, near.adjusted_p_value) == (0.0, 1.0)
    assert read_exploration(experiment).at == later(experiment, 30)
    assert read_exploration(experiment).content.problems == ()


def test_a_value_whose_users_are_not_split_as_set_is_named(lake: str, experiment: Experiment) -> None:
    fill(lake, experiment, control_at_far=60)
    explored(experiment, later(experiment, 30))
    content = read_exploration(experiment).content
    assert [problem.code for problem in content.problems] == ["segment-sample-ratio"]
    assert "edge is far" in content.problems[0].detail
    assert {(each.dimension, each.value): each.units for each in content.splits}["edge", "far"] == {
        "control": 60,
        "better": USERS,
    }
    off = {(each.dimension, each.value): each.mismatch for each in content.splits}
    assert off == {("edge", "near"): False, ("edge", "far"): True, ("client", "not told"): True}
    assert "Nor did they where client is not told." in content.problems[0].detail


def test_one_worker_takes_it_and_it_rests_for_a_while(lake: str, experiment: Experiment) -> None:
    fill(lake, experiment)
    now = later(experiment, 30)
    reconcile(fresh(experiment), now=now)
    assert claim_due_explorations(now) == [experiment.pk]
    assert claim_due_explorations(now) == []
    explore_experiment(fresh(experiment), now)
    assert claim_due_explorations(now + timedelta(seconds=59)) == []
    assert claim_due_explorations(now + timedelta(hours=9)) == [experiment.pk]


def test_nothing_new_is_nothing_to_do(lake: str, experiment: Experiment) -> None:
    fill(lake, experiment)
    explored(experiment, later(experiment, 30))
    Exploration.objects.update(content={"effects": [], "splits": [], "problems": []})
    assert explored(experiment, later(experiment, 9000)) == {}
    store(lake, REQUESTS, [request_row("new", unit=9, time=later(experiment, 2).isoformat(), experiment="canary")])
    assert explored(experiment, later(experiment, 18_000))


def test_an_ended_one_is_computed_once_more(lake: str, experiment: Experiment) -> None:
    fill(lake, experiment)
    explored(experiment, later(experiment, 0))
    halt_by_hand(fresh(experiment), actor=SLUICE, reason="enough")
    ended_at = fresh(experiment).ended_at
    assert ended_at is not None
    after = ended_at + timedelta(hours=9)
    assert claim_due_explorations(after) == [experiment.pk]
    explore_experiment(fresh(experiment), after)
    assert claim_due_explorations(after + timedelta(days=1)) == []


def test_a_plan_without_dimensions_costs_nothing(lake: str) -> None:
    experiment = draft("plain")
    start(experiment, actor=SLUICE)
    assert claim_due_explorations(later(experiment, 30)) == []
    assert not Exploration.objects.exists()


def test_before_the_first_analysis_there_is_nothing(experiment: Experiment) -> None:
    now = later(experiment, 30)
    assert claim_due_explorations(now) == [experiment.pk]
    explore_experiment(experiment, now)
    assert read_exploration(experiment).at is None


def test_what_cannot_be_read_is_left_out(lake: str, experiment: Experiment) -> None:
    fill(lake, experiment)
    explored(experiment, later(experiment, 30))
    Exploration.objects.update(content={"effects": "many"})
    assert read_exploration(experiment).at is None
