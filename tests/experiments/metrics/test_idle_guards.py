"""What would guard nothing is refused when it is written down, and when it starts."""

from typing import Any

import pytest
from django.test import Client

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from controlplane.problems.errors import Conflict, InvalidInput, SluiceError
from experiments.actions.start import start
from experiments.metrics.checks import is_share
from experiments.models import Experiment, Metric, PlanMetric, State
from routing.models import Backend, Split
from routing.resources.edit import edit
from tests.experiments.views.test_new import send, sheet
from tests.factories.drafts import backend, draft, draft_data, endpoint
from tests.visitors.callers import Caller
from tests.visitors.roles import visitor

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def _backends(module_database: None) -> None:
    endpoint()
    backend("candidate")


def of_kinds(control: str, candidate: str, path: str = "/chat") -> None:
    edit(backend("stable"), {"protocol": control}, actor=SLUICE)
    edit(backend("candidate"), {"protocol": candidate}, actor=SLUICE)
    edit(endpoint(), {"path_prefix": path}, actor=SLUICE)


DIFFERENT = [
    ("openai", "http", "/chat"),
    ("http", "openai", "/chat"),
    ("vllm", "http", "/v1"),
    ("openai", "torchserve", "/chat"),
    ("bentoml", "openai", "/chat"),
    ("triton", "http", "/v2"),
    ("kserve-v2", "openai", "/v2/models/m/infer"),
    ("tgi", "vllm", "/generate"),
    ("triton", "openai", "/v2/models/m/generate"),
    ("openai", "llama-cpp", "/completion"),
]
ALIKE = [
    ("openai", "openai", "/chat"),
    ("openai", "vllm", "/v1"),
    ("tgi", "vllm", "/v1"),
    ("tgi", "vllm", "/v1/chat/completions"),
    ("ray-serve", "llama-cpp", "/v1"),
    ("kserve-v2", "triton", "/v2/models/m/infer"),
    ("kserve-v2", "openai", "/openai/v1"),
    ("openai", "anthropic", "/"),
    ("http", "http", "/chat"),
    ("http", "torchserve", "/predictions"),
]


@pytest.mark.parametrize(("control", "candidate", "path"), DIFFERENT)
def test_kinds_whose_errors_are_not_the_same_are_not_compared(control: str, candidate: str, path: str) -> None:
    of_kinds(control, candidate, path)
    with pytest.raises(InvalidInput) as caught:
        draft()
    assert caught.value.code == "kinds-differ"
    assert [problem.field for problem in caught.value.problems] == ["candidates.0.backend"]
    assert f"has the protocol {candidate}" in caught.value.detail
    assert not Experiment.objects.exists()


@pytest.mark.parametrize(("control", "candidate", "path"), ALIKE)
def test_kinds_that_say_the_same_of_an_answer_are(control: str, candidate: str, path: str) -> None:
    of_kinds(control, candidate, path)
    start(draft(), actor=SLUICE)


def test_a_rewrite_says_where_requests_go() -> None:
    of_kinds("tgi", "vllm")
    edit(endpoint(), {"rewrite": "/generate"}, actor=SLUICE)
    with pytest.raises(SluiceError) as caught:
        draft()
    assert caught.value.code == "kinds-differ"


def test_each_candidate_is_looked_at() -> None:
    edit(backend("plain"), {"protocol": "http"}, actor=SLUICE)
    candidates = [{"key": "a", "backend": "candidate"}, {"key": "b", "backend": "plain"}]
    with pytest.raises(InvalidInput) as caught:
        draft(candidates=candidates)
    assert [problem.field for problem in caught.value.problems] == ["candidates.1.backend"]


def test_a_backend_that_changed_its_kind_since_does_not_start() -> None:
    experiment = draft()
    edit(backend("candidate"), {"protocol": "http"}, actor=SLUICE)
    with pytest.raises(Conflict) as caught:
        start(experiment, actor=SLUICE)
    assert caught.value.code == "kinds-differ"
    assert "the same `protocol`" in caught.value.next_step
    assert Experiment.objects.get().state == State.DRAFT
    assert not Split.objects.exists()


def test_a_backend_keeps_its_kind_while_an_experiment_runs_on_it() -> None:
    start(draft(), actor=SLUICE)
    with pytest.raises(Conflict) as caught:
        edit(backend("candidate"), {"protocol": "http"}, actor=SLUICE)
    assert caught.value.code == "backend-in-use"
    assert Backend.objects.get(key="candidate").protocol == "openai"


def test_the_api_and_the_form_say_which_field_it_is(operator: Caller) -> None:
    of_kinds("openai", "http")
    answer = operator.send("POST", "experiments", draft_data())
    assert (answer.status_code, answer.json()["code"]) == (400, "kinds-differ")
    assert answer.json()["problems"][0]["field"] == "candidates.0.backend"
    browser = visitor(Role.APPROVER)
    assert "an error of one may be a success of the other" in send(browser, sheet(browser))


MEASURED: list[tuple[dict[str, Any], bool]] = [
    ({"type": "ratio", "numerator": "errors", "denominator": "requests"}, True),
    ({"type": "ratio", "numerator": "refusals", "denominator": "requests"}, True),
    ({"type": "ratio", "numerator": "above(ttft_ms, 750)", "denominator": "count(ttft_ms)"}, True),
    ({"type": "ratio", "numerator": "count(cost)", "denominator": "requests"}, True),
    ({"type": "proportion", "numerator": "outcome_count(sale)", "denominator": ""}, True),
    ({"type": "f1", "numerator": "called-spam", "denominator": "is-spam"}, True),
    ({"type": "ratio", "numerator": "duration_ms", "denominator": "requests"}, False),
    ({"type": "ratio", "numerator": "outcome(stars)", "denominator": "outcome_count(stars)"}, False),
    ({"type": "ratio", "numerator": "outcome_count(click)", "denominator": "requests"}, False),
    ({"type": "ratio", "numerator": "client_errors", "denominator": "errors"}, False),
    ({"type": "mean", "numerator": "errors", "denominator": ""}, False),
    ({"type": "quantile", "numerator": "duration_ms", "denominator": "", "level": 0.5}, False),
]


COST = {"type": "ratio", "numerator": "cost", "denominator": "requests"}
TIME = {"type": "ratio", "numerator": "ttft_ms", "denominator": "count(ttft_ms)"}


def defined(fields: dict[str, Any]) -> Metric:
    return Metric.objects.create(key="mine", name="Mine", **{"direction": "decrease", **fields})


@pytest.mark.parametrize(("fields", "share"), MEASURED)
def test_a_margin_of_all_of_a_share_is_refused(fields: dict[str, Any], share: bool) -> None:
    """A share lies between 0 and 1, so that it never gets worse by more than 1."""
    assert is_share(defined(fields)) is share
    plan = with_guardrail(margin=1.0, margin_kind="absolute")
    if share:
        with pytest.raises(InvalidInput) as caught:
            draft(plan=plan)
        assert caught.value.code == "margin-of-all"
        assert caught.value.problems[0].field == "plan.metrics.0.margin"
    else:
        draft(plan=plan)


def with_guardrail(**changes: Any) -> dict[str, Any]:
    metric = {"metric": "mine", "role": "guardrail", **changes}
    return {**draft_data()["plan"], "metrics": [metric]}


@pytest.mark.parametrize(
    ("fields", "metric", "refused"),
    [
        ({}, {"margin": 0.99, "margin_kind": "absolute"}, True),
        ({}, {"margin": 0.5, "margin_kind": "absolute"}, False),
        ({}, {"margin": 1e12, "margin_kind": "absolute"}, True),
        ({}, {"margin": 1e12, "margin_kind": "relative"}, True),
        ({}, {"margin": 1.01, "margin_kind": "relative"}, True),
        ({}, {"margin": 1.0, "margin_kind": "relative"}, False),
        ({"direction": "increase"}, {"margin": 0.5, "margin_kind": "relative"}, False),
        ({"direction": "increase"}, {"margin": 0.51, "margin_kind": "relative"}, True),
        ({"direction": "increase"}, {"margin": 1.0, "margin_kind": "relative"}, True),
        ({}, {"margin": 1.0, "margin_kind": "absolute", "role": "observed"}, False),
        ({"type": "mean", "numerator": "cost", "cap": 5.0}, {"margin": 5.0, "margin_kind": "absolute"}, True),
        ({"type": "mean", "numerator": "cost", "cap": 5.0}, {"margin": 2.5, "margin_kind": "absolute"}, False),
        (COST, {"margin": 1e12, "margin_kind": "relative"}, True),
        (COST, {"margin": 5.0, "margin_kind": "relative"}, False),
        (TIME, {"margin": 10_001, "margin_kind": "absolute"}, True),
        (TIME, {"margin": 10_000, "margin_kind": "absolute"}, False),
        (
            {**TIME, "type": "quantile", "denominator": "", "level": 0.9},
            {"margin": 1e9, "margin_kind": "absolute"},
            True,
        ),
        ({"type": "mean", "numerator": "outcome(sale)", "cap": 5.0}, {"margin": 5.0, "margin_kind": "absolute"}, False),
    ],
)
def test_a_margin_is_refused_where_nothing_can_exceed_it(
    fields: dict[str, Any], metric: dict[str, Any], refused: bool
) -> None:
    defined({"type": "proportion", "numerator": "errors", **fields})
    latency = {"metric": "latency", "role": "guardrail", "margin": 0.1}
    plan = with_guardrail(**metric)
    plan = {**plan, "metrics": [*plan["metrics"], latency]}
    if refused:
        with pytest.raises(InvalidInput) as caught:
            draft(plan=plan)
        assert caught.value.code == "margin-of-all"
    else:
        draft(plan=plan)


@pytest.mark.parametrize(
    ("margin", "kind", "most"),
    [
        (0.21, "absolute", "20 percentage points"),
        (0.99, "absolute", "20 percentage points"),
        (1.01, "relative", "100 % of the control"),
        (1e12, "relative", "100 % of the control"),
    ],
)
@pytest.mark.parametrize("key", ["error-rate", "client-error-rate", "redirect-rate", "abandon-rate", "truncated-rate"])
def test_a_default_guardrail_is_not_switched_off_by_its_margin(
    operator: Caller, key: str, margin: float, kind: str, most: str
) -> None:
    metric = {"metric": key, "role": "guardrail", "margin": margin, "margin_kind": kind}
    plan = {**draft_data()["plan"], "metrics": [metric], "switched_off": []}
    answer = operator.send("POST", "experiments", draft_data(plan=plan))
    assert (answer.status_code, answer.json()["code"]) == (400, "margin-of-all")
    assert most in answer.json()["detail"]
    assert not Experiment.objects.exists()


def test_the_form_says_it_beside_the_margin(client: Client) -> None:
    browser = visitor(Role.APPROVER)
    page = send(browser, sheet(browser, **{"metrics-0-margin": "100"}))
    assert 'id="id_metrics-0-margin_error"' in page
    assert "with more it guards nothing" in page


def test_a_draft_of_an_earlier_release_does_not_start() -> None:
    experiment = draft()
    PlanMetric.objects.filter(metric__key="error-rate").update(margin=1.0)
    with pytest.raises(Conflict) as caught:
        start(experiment, actor=SLUICE)
    assert caught.value.code == "margin-of-all"
    assert Experiment.objects.get().state == State.DRAFT


def test_a_metric_that_became_a_share_since_does_not_start() -> None:
    metric = defined({"type": "ratio", "numerator": "duration_ms", "denominator": "requests"})
    experiment = draft(plan=with_guardrail(margin=200, margin_kind="absolute"))
    Metric.objects.filter(pk=metric.pk).update(numerator="errors")
    with pytest.raises(Conflict) as caught:
        start(experiment, actor=SLUICE)
    assert caught.value.code == "margin-of-all"


@pytest.mark.parametrize(
    ("margin", "kind", "most"), [(5.01, "relative", "500 % of the control"), (10_001, "absolute", "10000 ms")]
)
def test_latency_is_not_switched_off_by_its_margin_either(
    operator: Caller, margin: float, kind: str, most: str
) -> None:
    metric = {"metric": "latency", "role": "guardrail", "margin": margin, "margin_kind": kind}
    plan = {**draft_data()["plan"], "metrics": [metric], "switched_off": []}
    answer = operator.send("POST", "experiments", draft_data(plan=plan))
    assert (answer.status_code, answer.json()["code"]) == (400, "margin-of-all")
    assert most in answer.json()["detail"]
    assert answer.json()["problems"][0]["field"] == "plan.metrics.0.margin"
    assert "switched_off" in answer.json()["next_step"]


NEVER: list[dict[str, Any]] = [
    {"type": "mean", "numerator": "outcome(sale)", "window_to_hours": 1.0},
    {"type": "mean", "numerator": "outcome(sale)", "settling_seconds": 3600.0},
    # No answer of the endpoint takes longer than 10 seconds.
    {"type": "ratio", "numerator": "above(duration_ms, 10000)", "denominator": "requests"},
    {"type": "proportion", "numerator": "above(ttft_ms, 999999999)"},
]
SOON: list[dict[str, Any]] = [
    {"type": "mean", "numerator": "outcome(sale)", "window_to_hours": 0.9},
    {"type": "mean", "numerator": "outcome(sale)", "settling_seconds": 3599.0},
    {"type": "ratio", "numerator": "above(duration_ms, 9999)", "denominator": "requests"},
    {"type": "proportion", "numerator": "above(completion_tokens, 999999999)"},
]


@pytest.mark.parametrize("fields", NEVER, ids=str)
def test_a_guardrail_that_counts_nothing_before_the_plan_is_over_is_refused(fields: dict[str, Any]) -> None:
    defined(fields)
    with pytest.raises(InvalidInput) as caught:
        draft(plan=with_guardrail(margin=0.1))
    assert caught.value.code == "never-counts"
    assert caught.value.problems[0].field == "plan.metrics.0.metric"
    assert "could never fail" in caught.value.detail


@pytest.mark.parametrize("fields", SOON, ids=str)
def test_one_that_counts_before_it_is_not(fields: dict[str, Any]) -> None:
    defined(fields)
    draft(plan=with_guardrail(margin=0.1))


@pytest.mark.parametrize(
    ("numerator", "denominator"),
    [("requests", "requests"), ("cost", "cost"), ("count(duration_ms)", "requests"), ("requests", "count(retries)")],
)
def test_a_ratio_of_something_to_itself_is_no_metric(operator: Caller, numerator: str, denominator: str) -> None:
    metric = {"key": "always", "name": "Always", "type": "ratio", "direction": "decrease"}
    answer = operator.send("POST", "metrics", {**metric, "numerator": numerator, "denominator": denominator})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-metric")
    assert answer.json()["problems"][0]["field"] == "denominator"


def test_a_draft_of_an_earlier_release_with_a_guard_that_never_ejects_does_not_start() -> None:
    experiment = draft()
    Experiment.objects.update(
        guard={"requests": 1000, "failing_share": 0.5, "window_seconds": 0.0015, "first_byte_ms": 0}
    )
    with pytest.raises(Conflict) as caught:
        start(Experiment.objects.get(pk=experiment.pk), actor=SLUICE)
    assert caught.value.code == "invalid-experiment"
    assert [problem.field for problem in caught.value.problems] == ["guard"]
    assert Experiment.objects.get().state == State.DRAFT
