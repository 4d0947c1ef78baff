"""Whether edges split users as they were told."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from controlplane.audit.actors import SLUICE
from experiments.actions.start import start
from experiments.loop.reconcile import reconcile
from experiments.models import Experiment
from routing.lake.schema import REQUESTS
from routing.models import Edge
from tests.factories.drafts import draft
from tests.factories.rows import request_row, store
from tests.visitors.callers import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def lake(own_lake: str) -> str:
    return own_lake


@pytest.fixture
def running() -> Experiment:
    experiment = draft()
    start(experiment, actor=SLUICE)
    return experiment


def rows(experiment: Experiment, edge: str, variant: str, units: int, first: int) -> Iterator[dict[str, Any]]:
    assert experiment.started_at is not None
    time = (experiment.started_at + timedelta(seconds=1)).isoformat()
    for number in range(units):
        for again in range(2):
            name = f"{edge}-{variant}-{number}-{again}"
            known = {"experiment": experiment.key, "variant": variant, "edge": edge, "time": time}
            yield request_row(name, unit=first + number, **known)


def test_an_edge_that_drifts_is_told_from_one_that_does_not(lake: str, running: Experiment, viewer: Caller) -> None:
    store(
        lake,
        REQUESTS,
        [
            *rows(running, "sound", "control", 1_010, 0),
            *rows(running, "sound", "better", 990, 2_000),
            *rows(running, "crooked", "control", 1_200, 4_000),
            *rows(running, "crooked", "better", 800, 6_000),
        ],
    )

    answer = viewer.get("experiments/canary/edges")

    crooked, sound = json.loads(answer.content)
    assert (crooked["edge"], crooked["units"], crooked["drifts"]) == (
        "crooked",
        {"control": 1_200, "better": 800},
        True,
    )
    assert (sound["edge"], sound["units"], sound["drifts"]) == ("sound", {"control": 1_010, "better": 990}, False)
    assert crooked["e_value_log10"] > 3 > sound["e_value_log10"]
    assert sound["shares"] == {"control": 0.5, "better": 0.5}


def test_without_traffic_there_is_no_edge_to_judge(lake: str, running: Experiment, viewer: Caller) -> None:
    assert json.loads(viewer.get("experiments/canary/edges").content) == []


def test_a_draft_has_no_split(lake: str, viewer: Caller) -> None:
    draft()
    assert json.loads(viewer.get("experiments/canary/edges").content) == []


def test_an_edge_that_drifts_is_a_finding_of_the_analysis(lake: str, running: Experiment, viewer: Caller) -> None:
    for name in ("left", "right"):
        Edge.objects.create(name=name, seen_at=timezone.now())
    lopsided = [("left", 1_300, 700), ("right", 700, 1_300)]
    for number, (edge, control, better) in enumerate(lopsided):
        first = number * 10_000
        store(lake, REQUESTS, [*rows(running, edge, "control", control, first)])
        store(lake, REQUESTS, [*rows(running, edge, "better", better, first + 5_000)])

    reconcile(running, now=timezone.now())

    findings = running.analyses.latest("id").results["findings"]
    assert {finding["code"] for finding in findings} == {"segment-sample-ratio"}
    assert findings[0]["subject"].startswith("edge")
