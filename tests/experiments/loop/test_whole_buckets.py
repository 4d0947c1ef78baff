"""Buckets are whole: where a stage has few, users come in other shares than the weights, and nothing is wrong."""

from collections.abc import Iterator
from typing import Any

import pytest

from controlplane.audit.actors import SLUICE
from experiments.actions.advance import advance
from experiments.actions.start import start
from experiments.decide import Decision, DecisionKind
from experiments.loop.reconcile import reconcile
from experiments.models import Experiment
from experiments.plan.as_judged import shares_by_stage
from routing.lake.schema import REQUESTS
from routing.publishing.newest_table import desired_table
from routing.table import segments
from tests.experiments.loop.evidence import fresh, later
from tests.factories.drafts import draft, draft_data
from tests.factories.rows import request_row, store

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

STAGES = [
    {"coverage": 5, "soak_seconds": 60},
    {"coverage": 25, "soak_seconds": 60},
    {"coverage": 100, "soak_seconds": 60},
]


@pytest.fixture(autouse=True)
def lake(own_lake: str) -> str:
    return own_lake


@pytest.fixture
def running() -> Experiment:
    three, one = ({"key": key, "backend": backend, "weight": weight} for key, backend, weight in WEIGHED)
    plan = {**draft_data()["plan"], "stages": STAGES}
    experiment = draft(traffic=1, control=three, candidates=[one], plan=plan)
    start(experiment, actor=SLUICE)
    return experiment


ADVANCE = Decision(DecisionKind.ADVANCE, "advance", "Nothing is wrong.")
WEIGHED = (("control", "stable", 3), ("better", "candidate", 1))


def rows(experiment: Experiment, first_unit: int, users: dict[str, int]) -> Iterator[dict[str, Any]]:
    """One request of each of so many new users."""
    assert experiment.started_at is not None
    variants = [variant for variant, count in users.items() for _ in range(count)]
    for unit, variant in enumerate(variants, start=first_unit):
        time = experiment.started_at.isoformat()
        yield request_row(f"r-{unit}", time=time, unit=unit, experiment=experiment.key, variant=variant)


def ratio(experiment: Experiment) -> dict[str, Any]:
    found: dict[str, Any] = experiment.analyses.latest("id").results["sample_ratio"]
    return found


def buckets() -> dict[str, int]:
    """How many buckets each variant has in the table that is to be published."""
    [endpoint] = desired_table(1).endpoints
    return {segment.variant: segment.weight for segment in segments(endpoint) if segment.variant}


def test_users_who_come_as_the_buckets_are_cut_are_as_they_should_be(lake: str, running: Experiment) -> None:
    """1,000 users a bucket, those of a stage new with it: 4 to 1, 19 to 6 and at last 3 to 1."""
    before: dict[str, int] = {}
    for stage in range(len(STAGES)):
        cut = buckets()
        came = {variant: 1000 * (count - before.get(variant, 0)) for variant, count in cut.items()}
        store(lake, REQUESTS, list(rows(running, 1_000_000 * stage, came)))
        reconcile(fresh(running), now=later(running, 30))
        assert ratio(running)["mismatch"] is False
        if stage + 1 < len(STAGES):
            advance(fresh(running), ADVANCE, actor=SLUICE)
        before = cut
    assert before == {"control": 75, "better": 25}


def test_users_who_are_lost_are_found_all_the_same(lake: str, running: Experiment) -> None:
    store(lake, REQUESTS, list(rows(running, 0, {"control": 4000, "better": 800})))
    reconcile(fresh(running), now=later(running, 30))
    assert ratio(running)["mismatch"] is True
    assert ratio(running)["expected"] == {"control": 0.8, "better": 0.2}


def test_where_traffic_makes_no_sense_the_weights_count(running: Experiment) -> None:
    broken = fresh(running)
    broken.traffic = "all"
    assert shares_by_stage(broken) == [{"control": 0.75, "better": 0.25}]
