"""Requests count for metrics of outcomes once these have had the time to come, alike in all arms: from a real lake."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from experiments.evidence import CollectedEvidence, MetricDefinition, collect_evidence
from experiments.stats.core.types import MetricType, UnitSums
from experiments.stats.health import late_outcomes
from experiments.stats.health.delays import Delays, settling_seconds
from experiments.stats.health.late import Silence
from experiments.stats.metrics.windows import Window
from tests.experiments.evidence.lakes import fill
from tests.factories.rows import START, outcome_row, request_row

pytestmark = pytest.mark.slow

Row = dict[str, Any]
TICK = 10.0
PAIRS = 150
ASKED_FOR = 300.0
"""Seconds in which all requests come."""

RATE = MetricDefinition("rate", MetricType.RATIO, "outcome_count(label)", "requests")
KINDS = {
    "by request": RATE,
    "over all requests, of values": replace(RATE, numerator="outcome(label)"),
    "by user": MetricDefinition("share", MetricType.PROPORTION, "outcome(label)"),
    "mean of a user": MetricDefinition("mean", MetricType.MEAN, "outcome_count(label)", cap=5.0),
    "over outcomes": replace(RATE, numerator="outcome(label)", denominator="outcome_count(label)"),
    "requests over outcomes": replace(RATE, numerator="errors", denominator="outcome_count(label)"),
    "accuracy": MetricDefinition("accuracy", MetricType.ACCURACY, "called", "label"),
    "f1": MetricDefinition("f1", MetricType.F1, "called", "label"),
    "in a window": MetricDefinition("soon", MetricType.PROPORTION, "outcome_count(label)", window=Window(0.0, 3600.0)),
}


def at(seconds: float) -> str:
    return (START + timedelta(seconds=float(seconds))).isoformat()


def twins(late: dict[str, float], *, share: float = 0.5, by_unit: bool = False) -> tuple[list[Row], list[Row]]:
    """Users in pairs, one in each arm, who ask and are labelled alike; only the labels come later in one arm."""
    rng = np.random.default_rng(4)
    requests, outcomes = [], []
    for pair, asked in enumerate(np.sort(rng.random(PAIRS) * ASKED_FOR)):
        labelled, value, called = rng.random() < share, float(rng.random() < 0.4), float(rng.random() < 0.5)
        for place, (arm, ticks) in enumerate(late.items()):
            unit = 2 * pair + place + 1
            requests.append(request_row(f"r{unit}", unit=unit, variant=arm, time=at(asked)))
            owner: Row = {"unit": unit, "request_id": None} if by_unit else {"unit": None, "request_id": f"r{unit}"}
            outcomes.append(outcome(f"c{unit}", "called", called, asked, owner))
            if labelled:
                outcomes.append(outcome(f"l{unit}", "label", value, asked + 1.0 + TICK * ticks, owner))
    return requests, outcomes


def outcome(name: str, kind: str, value: float, seconds: float, owner: Row) -> Row:
    when = at(seconds)
    return outcome_row(name, name=kind, value=value, time=when, received_at=when) | owner


def seen(lake_url: str, metrics: Sequence[MetricDefinition], seconds: float) -> CollectedEvidence:
    return collect_evidence(lake_url, "exp", START, metrics, now=START + timedelta(seconds=seconds))


def arms(found: CollectedEvidence, metric: str = "rate") -> dict[str, UnitSums]:
    return {arm: sums for (key, arm), sums in found.evidence.sums.items() if key == metric}


def enough(found: CollectedEvidence, metric: str = "rate") -> bool:
    """Whether an arm has ten outcomes; with fewer nothing can be decided."""
    return any(max(counts.values()) >= 10 for counts in found.timings[metric].outcomes.values())


@pytest.mark.parametrize("ticks", [2, 5, 10])
@pytest.mark.parametrize("arm", ["control", "candidate"])
def test_arms_that_differ_only_in_when_labels_come_have_the_same_sums(lake_url: str, arm: str, ticks: int) -> None:
    late = {"control": 0.0, "candidate": 0.0} | {arm: float(ticks)}
    metrics = [replace(metric, key=name) for name, metric in KINDS.items()]
    fill(lake_url, *twins(late))
    for seconds in (130, 190, 250, 310, 420, 3600, 8000):
        found = seen(lake_url, metrics, seconds)
        for name in KINDS:
            sums = arms(found, name)
            assert enough(found, name)
            assert sums.get("control") == pytest.approx(sums.get("candidate")), (name, seconds)
    assert all(arms(found, name)["control"].units for name in KINDS)


def test_labels_by_user_alone_are_as_late_as_those_by_request(lake_url: str) -> None:
    fill(lake_url, *twins({"control": 0.0, "candidate": 5.0}, by_unit=True))
    counted = []
    for seconds in (130, 200, 300, 400):
        found = seen(lake_url, [RATE, KINDS["by user"]], seconds)
        sums = arms(found)
        assert enough(found)
        assert sums.get("control") == sums.get("candidate")
        counted.append(sums["control"].units if sums else 0)
    assert counted[0] == 0
    assert counted[-1] == PAIRS


def test_an_arm_whose_labels_come_later_is_told_of(lake_url: str) -> None:
    fill(lake_url, *twins({"control": 0.0, "candidate": 3.0}, share=1.0))
    found = seen(lake_url, [RATE], 400)
    late = late_outcomes(found.timings, found.requests, "control")
    assert [(each.code, each.subject) for each in late.findings()] == [("late-outcomes", "candidate")]


def test_labels_that_are_late_alike_are_not(lake_url: str) -> None:
    fill(lake_url, *twins({"control": 3.0, "candidate": 3.0}, share=1.0))
    found = seen(lake_url, [RATE, KINDS["accuracy"]], 400)
    assert late_outcomes(found.timings, found.requests, "control").findings() == ()
    assert arms(found)["candidate"].units == PAIRS


def test_the_measured_time_is_that_of_the_pure_core(lake_url: str) -> None:
    rng = np.random.default_rng(3)
    requests, outcomes = [], []
    delays: dict[str, list[tuple[float, float]]] = {"control": [], "candidate": []}
    for unit in range(1, 401):
        arm = "control" if unit % 2 else "candidate"
        asked, delay = rng.random() * 900.0, rng.exponential(20.0 if unit % 2 else 50.0)
        requests.append(request_row(f"r{unit}", unit=unit, variant=arm, time=at(asked)))
        outcomes.append(outcome(f"o{unit}", "label", 1.0, asked + delay, {"unit": None, "request_id": f"r{unit}"}))
        delays[arm].append((asked, delay))
    fill(lake_url, requests, outcomes)
    come = [np.array([pair for pair in pairs if sum(pair) <= 1000.0]) for pairs in delays.values()]
    expected = settling_seconds([Delays.of(1000.0 - each[:, 0], each[:, 1]) for each in come], 30.0, 1000.0)
    assert expected is not None
    assert seen(lake_url, [RATE], 1000).timings["rate"].settling == pytest.approx(expected)


def test_labels_for_few_requests_are_not_waited_for(lake_url: str) -> None:
    """One request in five is labelled, at once; the others never are, and count without one."""
    fill(lake_url, *twins({"control": 0.0, "candidate": 0.0}, share=0.2))
    sums = arms(seen(lake_url, [RATE], 310))["control"]
    assert sums.sum_y / sums.sum_d < 0.35
    assert sums.sum_d > 0.8 * PAIRS


def test_a_stated_time_overrides_the_measured_one(lake_url: str) -> None:
    requests, outcomes = twins({"control": 0.0, "candidate": 5.0})
    fill(lake_url, requests, outcomes)
    asked = sorted(row["time"] for row in requests if row["variant"] == "control")
    for stated in (0.0, 100.0):
        sums = arms(seen(lake_url, [replace(RATE, settling_seconds=stated)], 200))
        assert sums["control"].sum_d == sum(time <= at(200.0 - stated) for time in asked)


def test_metrics_of_requests_alone_do_not_wait(lake_url: str) -> None:
    latency = MetricDefinition("latency", MetricType.RATIO, "duration_ms", "requests")
    fill(lake_url, *twins({"control": 0.0, "candidate": 5.0}))
    assert arms(seen(lake_url, [latency, RATE], 20), "latency") == arms(seen(lake_url, [latency], 20), "latency")
    assert arms(seen(lake_url, [latency, RATE], 1), "latency")["control"].sum_d == PAIRS


def test_what_comes_later_than_now_is_not_known_yet(lake_url: str) -> None:
    when, owner = at(1), {"unit": None, "request_id": "r1"}
    late = outcome("o", "label", 1.0, 1.0, owner) | {"received_at": at(500)}
    fill(lake_url, [request_row("r1", time=when)], [late])
    assert [arms(seen(lake_url, [RATE], now))["control"].sum_y for now in (499, 501)] == [0.0, 1.0]


def test_an_outcome_of_a_user_belongs_to_the_newest_request_before_it(lake_url: str) -> None:
    """The user asked again, and liked that answer: it counts when that request does, after half of the time at most."""
    requests = [request_row("a", time=at(0)), request_row("b", time=at(100))]
    liked = [outcome("o", "label", 1.0, 105.0, {"unit": 1, "request_id": None})]
    fill(lake_url, requests, liked)
    found = [arms(seen(lake_url, [RATE], now))["control"] for now in (110, 205)]
    assert [(each.sum_y, each.sum_d) for each in found] == [(0.0, 1.0), (1.0, 2.0)]


def test_a_label_that_is_corrected_long_after_still_counts_as_the_last(lake_url: str) -> None:
    requests, outcomes = twins({"control": 0.0, "candidate": 0.0}, share=1.0)
    owner = {"unit": None, "request_id": "r1"}
    wrong = next(row for row in outcomes if row["id"] == "l1")
    corrected = outcome("again", "label", 1.0 - wrong["value"], 7000.0, owner)
    fill(lake_url, requests, [*outcomes, corrected])
    accuracy = KINDS["accuracy"]
    before, after = (arms(seen(lake_url, [accuracy], now), "accuracy")["control"] for now in (6999, 7001))
    assert abs(before.sum_y - after.sum_y) == 1.0
    assert before.sum_d == after.sum_d


def test_a_labeller_that_stops_holds_nothing_up_for_ever_and_is_told_of(lake_url: str) -> None:
    """Labels come to the requests of the first 100 s alone."""
    requests, outcomes = twins({"control": 0.0, "candidate": 0.0}, share=1.0)
    early = [row for row in outcomes if row["time"] <= at(100)]
    fill(lake_url, requests, early)
    found = seen(lake_url, [RATE], 400)
    [silence] = set(found.timings["rate"].silences["label"].values())
    counted = arms(found)["control"].sum_d
    assert silence == Silence(int(counted), PAIRS - int(counted))
    late = late_outcomes(found.timings, found.requests, "control")
    assert {each.code for each in late.findings()} == {"outcomes-stopped"}
    assert arms(seen(lake_url, [RATE], 400 + 3100))["control"].sum_d == PAIRS


def test_labels_that_are_missing_in_one_arm_are_told_of(lake_url: str) -> None:
    requests, outcomes = twins({"control": 0.0, "candidate": 0.0}, share=1.0)
    lost = [row for row in outcomes if not (row["name"] == "label" and int(row["id"][1:]) % 4 == 0)]
    fill(lake_url, requests, lost)
    found = seen(lake_url, [RATE, replace(KINDS["over outcomes"], key="up")], 400)
    late = late_outcomes(found.timings, found.requests, "control")
    assert [each.code for each in late.findings()] == ["missing-outcomes"]
    assert list(late.reasons) == [("up", "candidate")]
