"""What an experiment's form accepts, and how it says what is wrong."""

from typing import Any

import pytest

from controlplane.problems.errors import InvalidInput
from experiments.plan.spec import read_spec
from tests.factories.drafts import draft_data

STAGES = [{"coverage": 10, "soak_seconds": 60}, {"coverage": 100, "soak_seconds": 60}]
GUARDRAIL = {"metric": "error-rate", "role": "guardrail"}

HEAVY = [{"key": "better", "backend": "candidate", "weight": 20}]


def close(*coverages: float) -> list[dict[str, float]]:
    return [{"coverage": coverage, "soak_seconds": 1} for coverage in coverages]


def plan(**changes: Any) -> dict[str, Any]:
    return {**draft_data()["plan"], **changes}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"key": "Bad Key"}, "key", "pattern"),
        ({"name": ""}, "name", "at least 1 character"),
        ({"surprise": 1}, "surprise", "not permitted"),
        ({"traffic": 0}, "traffic", "greater than or equal to 0.01"),
        ({"candidates": []}, "candidates", "at least 1 item"),
        ({"candidates": [{"key": "control", "backend": "b"}]}, "experiment", "a key of its own"),
        ({"plan": plan(stages=[])}, "plan.stages", "at least 1 item"),
        ({"plan": plan(stages=STAGES[::-1])}, "plan", "larger than the one before"),
        ({"plan": plan(stages=[{"coverage": 10, "soak_seconds": -1}])}, "plan.stages.0.soak_seconds", "0"),
        ({"plan": plan(metrics=[GUARDRAIL, GUARDRAIL])}, "plan", "only once"),
        (
            {"plan": plan(metrics=[{**GUARDRAIL, "role": "observed"}], switched_off=["error-rate"])},
            "plan",
            "goal or a guardrail",
        ),
        ({"plan": plan(metrics=[{**GUARDRAIL, "role": "observed"}])}, "plan", "guardrail of every plan"),
        ({"plan": plan(switched_off=["cost-per-request"])}, "plan.switched_off.0", "error-rate, client-error-rate"),
        ({"plan": plan(metrics=[{**GUARDRAIL, "margin": -1}])}, "plan.metrics.0.margin", "greater than or equal"),
        ({"plan": plan(alpha=0.7)}, "plan.alpha", "less than or equal to 0.2"),
        ({"plan": plan(maximum_seconds=1)}, "plan", "longer than maximum_seconds"),
        ({"plan": plan(alpha=float("nan"))}, "plan.alpha", ""),
        ({"name": "  \t "}, "name", "a name that can be seen"),
        ({"plan": plan(stages=close(10, 10.001))}, "plan", "by 0.01 at least"),
        ({"plan": plan(stages=close(0.011, 0.012))}, "plan", "by 0.01 at least"),
        ({"plan": plan(stages=close(10, 10))}, "plan", "larger than the one before"),
        ({"plan": plan(stages=close(0, 10))}, "plan.stages.0.coverage", "greater than or equal to 0.01"),
        ({"plan": plan(stages=close(*range(1, 101)))}, "plan.stages", "at most 50 items"),
        ({"plan": plan(dimensions=["duration_ms"])}, "plan.dimensions.0", "edge, client, stream"),
        ({"plan": plan(dimensions=["edge", "edge"])}, "plan", "a dimension may appear only once"),
        ({"plan": plan(looks=0)}, "plan.looks", "greater than or equal to 1"),
        ({"plan": plan(looks=500)}, "plan.looks", "less than or equal to 100"),
        ({"plan": plan(halt_alpha=1e-5)}, "plan.halt_alpha", "greater than or equal to 0.0001"),
        ({"plan": plan(tick_seconds=601)}, "plan.tick_seconds", "less than or equal to 600"),
        ({"guard": {"requests": 1000, "window_seconds": 0.0015}}, "guard", "could never eject"),
        ({"guard": {"requests": 1000, "window_seconds": 24}}, "guard", "20 a second at most"),
        ({"guard": {"failing_share": 1}}, "guard.failing_share", "less than or equal to 0.9"),
        ({"control": {"key": "control", "backend": "stable", "weight": 1}, "candidates": HEAVY}, "experiment", "4.8%"),
    ],
)
def test_each_mistake_is_named_at_its_place(changes: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_spec(draft_data(**changes))
    assert field in [problem.field for problem in caught.value.problems]
    message = next(problem.message for problem in caught.value.problems if problem.field == field)
    assert words.lower() in message.lower()
    assert message.endswith(".")


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_spec(draft_data(key="Bad Key", name="", traffic=1000))
    assert {problem.field for problem in caught.value.problems} == {"key", "name", "traffic"}


def test_a_good_form_is_read_whole() -> None:
    spec = read_spec(draft_data(hypothesis="It is better."))
    assert spec.hypothesis == "It is better."
    assert spec.plan.stages[1].coverage == 100


@pytest.mark.parametrize(
    ("traffic", "weights", "least"),
    [
        (0.01, (1, 1), "at least 0.02."),
        (0.02, (1, 1, 1), "at least 0.03."),
        (0.03, (99, 1), "at least 0.51."),
        (0.01, (1, 19), "at least 0.11."),
    ],
)
def test_too_little_traffic_for_the_weights_names_the_least(
    traffic: float, weights: tuple[int, ...], least: str
) -> None:
    control, *others = weights
    form = draft_data(
        traffic=traffic,
        control={"key": "control", "backend": "b", "weight": control},
        candidates=[{"key": f"c-{n}", "backend": "b", "weight": weight} for n, weight in enumerate(others)],
    )
    with pytest.raises(InvalidInput) as caught:
        read_spec(form)
    [problem] = caught.value.problems
    assert problem.field == "traffic"
    assert problem.message.endswith(least)

    enough = float(least.removeprefix("at least ").removesuffix("."))
    assert read_spec({**form, "traffic": enough}).traffic == enough


@pytest.mark.parametrize("value", [True, False, "1", "1e3", ""])
@pytest.mark.parametrize(
    "place",
    [
        "traffic",
        "control.weight",
        "plan.alpha",
        "plan.looks",
        "plan.minimum_units",
        "plan.stages.0.coverage",
        "plan.stages.0.soak_seconds",
        "plan.metrics.0.margin",
        "plan.metrics.0.minimum_effect",
        "guard.requests",
        "guard.window_seconds",
    ],
)
def test_what_can_be_read_as_a_number_is_none(place: str, value: object) -> None:
    form = draft_data(guard={"requests": 20})
    *path, name = place.split(".")
    part: Any = form
    for step in path:
        part = part[int(step)] if step.isdecimal() else part[step]
    part[name] = value
    with pytest.raises(InvalidInput) as caught:
        read_spec(form)
    problem = caught.value.problems[0]
    assert (problem.field, problem.message) == (place, "Input should be a valid number, without quotes.")
