"""Harm that no plan lists: a candidate that sends everybody away is not promoted, and halted."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from controlplane.audit.actors import SLUICE
from experiments.actions.start import start
from experiments.decide import DecisionKind
from experiments.loop.reconcile import reconcile
from experiments.models import Experiment, Metric
from experiments.models.default_guardrails import DEFAULT_MARGINS
from routing.lake.schema import REQUESTS
from tests.factories.drafts import draft, draft_data
from tests.factories.rows import request_row, store

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

USERS = 1_500
LATENCY = {"metric": "latency", "role": "guardrail", "margin": 0.1}
ERRORS = {"metric": "error-rate", "role": "guardrail", "margin": 0.03, "margin_kind": "absolute"}


@pytest.fixture(autouse=True)
def lake(own_lake: str) -> str:
    return own_lake


def running(switched_off: tuple[str, ...] = (), *metrics: dict[str, Any]) -> Experiment:
    plan = {**draft_data()["plan"], "metrics": list(metrics or [LATENCY]), "switched_off": list(switched_off)}
    experiment = draft(plan=plan)
    start(experiment, actor=SLUICE)
    return experiment


def rows(experiment: Experiment, variant: str, first_unit: int, **changes: Any) -> Iterator[dict[str, Any]]:
    """One request of each user; how long it takes differs a little."""
    assert experiment.started_at is not None
    for number in range(USERS):
        yield request_row(
            f"{variant}-{number}",
            time=(experiment.started_at + timedelta(milliseconds=240 * number)).isoformat(),
            unit=first_unit + number,
            experiment=experiment.key,
            variant=variant,
            duration_ms=100.0 + (number + first_unit // 100) % 7 + first_unit / 10_000,
            backend="any",
            answered_by="any",
            **{"result": "success", **changes},
        )


def decided(experiment: Experiment, seconds: float) -> Any:
    assert experiment.stage_entered_at is not None
    return reconcile(experiment, now=experiment.stage_entered_at + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "changes",
    [
        {"status": 404, "result": "rejected"},
        {"status": 429, "result": "rejected"},
        {"status": 302, "result": "redirected"},
        {"status": 200, "result": "failed", "failure": "no-answer"},
        {"status": 200, "result": "failed", "failure": "unfinished"},
        {"status": 200, "flags": "DC", "result": "abandoned"},
        # Rows of a release that kept no result.
        {"status": 404, "result": None},
        {"status": 302, "result": None},
        {"status": 200, "flags": "UPE", "result": None},
        {"status": 200, "flags": "DC", "result": None},
    ],
)
def test_a_candidate_that_fails_everybody_in_its_own_way_is_halted(lake: str, changes: dict[str, Any]) -> None:
    experiment = running()
    store(lake, REQUESTS, [*rows(experiment, "control", 0), *rows(experiment, "better", USERS, **changes)])

    decision = decided(experiment, 5)

    assert decision is not None
    assert decision.kind is DecisionKind.HALT


@pytest.mark.parametrize(("duration", "kind"), [(200.0, DecisionKind.HALT), (120.0, DecisionKind.HOLD)])
def test_a_plan_that_lists_errors_alone_halts_a_slow_candidate(lake: str, duration: float, kind: DecisionKind) -> None:
    """A quarter longer than the control's is accepted where nobody says otherwise."""
    experiment = running((), ERRORS)
    slow = [row | {"duration_ms": duration + n % 7} for n, row in enumerate(rows(experiment, "better", USERS))]
    store(lake, REQUESTS, [*rows(experiment, "control", 0), *slow])

    assert decided(experiment, 5).kind is kind


def test_a_slow_candidate_goes_on_once_latency_is_switched_off_by_name(lake: str) -> None:
    experiment = running(("latency",), ERRORS)
    slow = [row | {"duration_ms": 900.0 + n % 7} for n, row in enumerate(rows(experiment, "better", USERS))]
    store(lake, REQUESTS, [*rows(experiment, "control", 0), *slow])

    assert decided(experiment, 60).kind is DecisionKind.ADVANCE


def test_a_candidate_whose_every_answer_is_cut_is_halted(lake: str) -> None:
    experiment = running()
    control, cut = rows(experiment, "control", 0, stop="stop"), rows(experiment, "better", USERS, stop="length")
    store(lake, REQUESTS, [*control, *cut])

    assert decided(experiment, 5).kind is DecisionKind.HALT


def test_a_candidate_that_is_cut_as_often_as_the_control_blames_nobody(lake: str) -> None:
    experiment = running()
    for variant, first in (("control", 0), ("better", USERS)):
        told = enumerate(rows(experiment, variant, first))
        store(lake, REQUESTS, [row | {"stop": "stop" if n % 4 else "length"} for n, row in told])

    assert decided(experiment, 60).kind is not DecisionKind.HALT


@pytest.mark.parametrize(("stop", "kind"), [(None, DecisionKind.HOLD), ("stop", DecisionKind.PROMOTE)])
def test_a_candidate_that_stops_to_say_whether_it_was_cut_is_not_promoted(
    lake: str, stop: str | None, kind: DecisionKind
) -> None:
    experiment = running()
    control, better = rows(experiment, "control", 0, stop="stop"), rows(experiment, "better", USERS, stop=stop)
    store(lake, REQUESTS, [*control, *better])
    decided(experiment, 60)

    assert decided(Experiment.objects.get(), 300).kind is kind
    results = experiment.analyses.latest("id").results
    assert [finding["code"] for finding in results["findings"]] == (["unknown-by-arm"] if stop is None else [])


@pytest.mark.parametrize("result", ["rejected", "redirected", "abandoned"])
def test_clients_that_are_wrong_in_both_arms_blame_nobody(lake: str, result: str) -> None:
    experiment = running()
    both = [*rows(experiment, "control", 0, result=result), *rows(experiment, "better", USERS, result=result)]
    store(lake, REQUESTS, both)

    decision = decided(experiment, 5)

    assert decision is not None
    assert decision.kind is DecisionKind.HOLD


REDEFINED: list[dict[str, Any]] = [
    {"numerator": "outcome(never)"},
    {"direction": "increase"},
    {"type": "proportion", "denominator": ""},
    {"type": "quantile", "numerator": "duration_ms", "denominator": "", "level": 0.5},
    {"type": "mean", "denominator": "", "cap": 1e-9},
    {"settling_seconds": 9e6},
    {"type": "mean", "numerator": "outcome(x)", "denominator": "", "window_from_hours": 1.0, "window_to_hours": 8000.0},
]


@pytest.mark.parametrize("meaning", REDEFINED, ids="-".join)
def test_a_row_that_says_something_else_switches_no_guardrail_off(lake: str, meaning: dict[str, Any]) -> None:
    Metric.objects.filter(key__in=DEFAULT_MARGINS).update(**meaning)
    experiment = running()
    failing = rows(experiment, "better", USERS, status=404, result="rejected")
    store(lake, REQUESTS, [*rows(experiment, "control", 0), *failing])

    decision = decided(experiment, 5)

    assert decision is not None
    assert decision.kind is DecisionKind.HALT


def test_what_is_switched_off_by_name_halts_nothing(lake: str) -> None:
    experiment = running(("redirect-rate",))
    sent_away = rows(experiment, "better", USERS, status=302, result="redirected")
    store(lake, REQUESTS, [*rows(experiment, "control", 0), *sent_away])

    decision = decided(experiment, 5)

    assert decision is not None
    assert decision.kind is DecisionKind.HOLD


def test_a_healthy_candidate_is_promoted_although_nobody_saw_any_of_it(lake: str) -> None:
    experiment = running()
    store(lake, REQUESTS, [*rows(experiment, "control", 0), *rows(experiment, "better", USERS)])
    assert decided(experiment, 60).kind is DecisionKind.ADVANCE

    decision = decided(Experiment.objects.get(), 300)

    assert decision.kind is DecisionKind.PROMOTE


@pytest.mark.parametrize("denominator", ["requests", "count(cost)"])
def test_a_cost_that_one_arm_does_not_tell_neither_halts_nor_passes(lake: str, denominator: str) -> None:
    Metric.objects.create(
        key="price", name="Price", type="ratio", numerator="cost", denominator=denominator, direction="decrease"
    )
    experiment = running((), {"metric": "price", "role": "guardrail", "margin": 0.1}, LATENCY)
    untold = [
        row | {"cost": None if number % 2 else 2.0} for number, row in enumerate(rows(experiment, "better", USERS))
    ]
    store(lake, REQUESTS, [*rows(experiment, "control", 0, cost=2.0), *untold])
    assert decided(experiment, 60).kind is DecisionKind.ADVANCE

    decision = decided(Experiment.objects.get(), 300)

    assert decision.kind is DecisionKind.HOLD
    results = experiment.analyses.latest("id").results
    price = next(result for result in results["metrics"] if result["metric"] == "price")
    assert (price["verdict"], price["harmed"]) == ("insufficient", False)
    assert "known for 50.0% of the answered requests of better and 100.0%" in price["note"]
    assert [finding["code"] for finding in results["findings"]] == ["unknown-by-arm"]


@pytest.mark.parametrize("every", [1, 2])
def test_answers_that_cannot_be_read_in_one_arm_neither_halt_nor_pass(lake: str, every: int) -> None:
    experiment = running()
    unknown = {"result": "unknown", "failure": "unreadable"}
    unread = [
        row | (unknown if number % every == 0 else {}) for number, row in enumerate(rows(experiment, "better", USERS))
    ]
    store(lake, REQUESTS, [*rows(experiment, "control", 0), *unread])
    decided(experiment, 60)

    decision = decided(Experiment.objects.get(), 300)

    assert decision.kind is DecisionKind.HOLD
    results = experiment.analyses.latest("id").results
    errors = next(result for result in results["metrics"] if result["metric"] == "error-rate")
    assert (errors["verdict"], errors["harmed"]) == ("insufficient", False)
    assert f"known for {1 - 1 / every:.1%} of the answered requests of better and 100.0%" in errors["note"]


def test_beside_answers_that_cannot_be_read_other_harm_still_halts(lake: str) -> None:
    experiment = running()
    unread = {"result": "unknown", "failure": "unreadable"}
    harmed = [
        row | (unread if number % 2 else {"status": 404, "result": "rejected"})
        for number, row in enumerate(rows(experiment, "better", USERS))
    ]
    store(lake, REQUESTS, [*rows(experiment, "control", 0), *harmed])

    assert decided(experiment, 5).kind is DecisionKind.HALT


def store_unread(lake: str, experiment: Experiment, every: int) -> None:
    """Have one in so many answers of both arms unreadable."""
    for variant, first in (("control", 0), ("better", USERS)):
        unknown = {"result": "unknown", "failure": "unreadable"}
        told = enumerate(rows(experiment, variant, first))
        store(lake, REQUESTS, [row | (unknown if number % every == 0 else {}) for number, row in told])


@pytest.mark.parametrize("every", [2, 3, 19])
def test_answers_that_can_be_read_as_seldom_in_both_arms_hold_what_goes_on(lake: str, every: int) -> None:
    experiment = running()
    store_unread(lake, experiment, every)

    decision = decided(experiment, 60)

    assert (decision.kind, decision.code) == (DecisionKind.HOLD, "unreadable-answers")
    share = -(-USERS // every) / USERS
    assert f"{share:.1%} of those of better, {share:.1%} of those of control" in decision.reason
    assert "uncompressed" in decision.reason
    assert decided(Experiment.objects.get(), 300).code == "unreadable-answers"


def test_one_answer_in_twenty_that_cannot_be_read_holds_nothing(lake: str) -> None:
    experiment = running()
    store_unread(lake, experiment, 20)
    assert decided(experiment, 60).kind is DecisionKind.ADVANCE

    assert decided(Experiment.objects.get(), 300).kind is DecisionKind.PROMOTE


def test_answers_that_cannot_be_read_hold_nothing_that_does_not_need_them(lake: str) -> None:
    experiment = running(("error-rate", "truncated-rate"), LATENCY)
    store_unread(lake, experiment, 2)

    assert decided(experiment, 60).kind is DecisionKind.ADVANCE


def test_beside_a_cost_that_is_not_told_other_harm_still_halts(lake: str) -> None:
    experiment = running((), {"metric": "cost-per-request", "role": "guardrail", "margin": 0.1})
    failing = rows(experiment, "better", USERS, status=500, result="failed")
    store(lake, REQUESTS, [*rows(experiment, "control", 0, cost=2.0), *failing])

    assert decided(experiment, 5).kind is DecisionKind.HALT


def test_a_cost_that_is_as_often_unknown_in_both_arms_is_compared_where_it_is_known(lake: str) -> None:
    experiment = running((), {"metric": "cost-per-request", "role": "guardrail", "margin": 0.1}, LATENCY)
    for variant, first in (("control", 0), ("better", USERS)):
        told = enumerate(rows(experiment, variant, first))
        costs = [row | {"cost": 2.0 + n % 3 + first / 100_000 if n % 2 else None} for n, row in told]
        store(lake, REQUESTS, costs)
    assert decided(experiment, 60).kind is DecisionKind.ADVANCE

    assert decided(Experiment.objects.get(), 300).kind is DecisionKind.PROMOTE
