"""What was written down is what is read back, and can be written down again."""

from typing import Any

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.problems.errors import InvalidInput
from experiments.actions.create import create
from experiments.models import Experiment
from experiments.plan.as_written import as_written
from experiments.plan.spec import read_spec
from tests.factories.drafts import backend, draft, draft_data, endpoint

pytestmark = pytest.mark.django_db

WRONG = "its own sign"
STAGES = [{"coverage": 0.07, "soak_seconds": 0}, {"coverage": 33.33, "soak_seconds": 1}]
METRICS = [
    {"metric": "time-to-first-token", "role": "goal", "margin": 0.3, "minimum_effect": 0.029},
    {"metric": "error-rate", "role": "guardrail", "margin": 0.0035, "margin_kind": "absolute"},
    {"metric": "cost-per-request", "role": "observed", "minimum_effect": 1e-6},
]
PLAN = {"stages": STAGES, "metrics": METRICS}
CANDIDATES = [
    {"key": "zebra", "backend": "candidate", "weight": 3, "headers": {"x-b": "2", "x-a": "1"}},
    {"key": "ape", "backend": "stable", "weight": 7, "query": {"temperature": "0.2"}},
    {"key": "moth", "backend": "candidate"},
]
SPECS: list[dict[str, Any]] = [
    {},
    {"hypothesis": "It is\nbetter.", "kind": "ab", "name": "Ärger & <b>"},
    *({"traffic": traffic} for traffic in (0.02, 0.07, 0.29, 1.1, 33.33, 57.03, 99.99, 100)),
    {"audience": ["x-country is DE, FR", "x-tier is gold"]},
    {"guard": None},
    {"guard": {"requests": 10, "failing_share": 0.07, "window_seconds": 0.5, "first_byte_ms": 1500}},
    {
        "control": {"key": "old", "backend": "stable", "weight": 9, "headers": {"x-model": "v1"}},
        "candidates": CANDIDATES,
    },
    {"plan": PLAN},
    {"plan": {**PLAN, "alpha": 1e-6, "halt_alpha": 0.07, "power": 0.9999, "tick_seconds": 1.5, "minimum_units": 2}},
    {"plan": {**PLAN, "looks": 1, "spending": "pocock", "maximum_seconds": 7}},
    {"plan": {**PLAN, "switched_off": ["redirect-rate", "truncated-rate", "abandon-rate", "client-error-rate"]}},
    {"plan": {**PLAN, "dimensions": ["stream", "edge"]}},
]


@pytest.fixture(autouse=True)
def _things() -> None:
    endpoint()
    backend("candidate")


def stored(key: str) -> Experiment:
    return Experiment.objects.get(key=key)


@pytest.mark.parametrize("changes", SPECS)
def test_a_spec_comes_back_as_it_was(changes: dict[str, Any]) -> None:
    spec = read_spec(draft_data("first", **changes))
    create(spec, actor=SLUICE)

    written = as_written(stored("first"))

    assert written == spec.model_dump(mode="json")
    again = read_spec({**written, "key": "second", "traffic": min(written["traffic"], 50)})
    create(again, actor=SLUICE)
    assert as_written(stored("second")) == again.model_dump(mode="json")


def test_guardrails_that_nobody_listed_are_not_listed() -> None:
    draft(plan={**PLAN, "switched_off": []})
    assert [metric["metric"] for metric in as_written(stored("canary"))["plan"]["metrics"]] == [
        "time-to-first-token",
        "error-rate",
        "cost-per-request",
    ]
    assert stored("canary").plan.metrics.count() == 8


def test_what_makes_no_sense_is_not_read_as_nothing() -> None:
    draft()
    Experiment.objects.update(audience=[WRONG])
    written = as_written(stored("canary"))
    assert written["audience"] == [WRONG]
    with pytest.raises(InvalidInput) as caught:
        read_spec(written)
    assert [problem.field for problem in caught.value.problems] == ["audience.0"]
