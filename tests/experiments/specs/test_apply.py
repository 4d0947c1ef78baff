"""Files of specs over the API: applied whole or not at all, twice as once, and shown as they would be."""

from typing import Any

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.models import AuditEvent
from experiments.actions.start import start
from experiments.models import Experiment, Metric
from routing.models import Backend, Endpoint, Layer, RoutingTable
from tests.experiments.specs.files import WHOLE
from tests.factories.drafts import draft
from tests.visitors.callers import Caller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]


def sent(caller: Caller, verb: str, text: str, status: int = 200) -> Any:
    answer = caller.send("POST", f"specs/{verb}", text)
    assert answer.status_code == status, answer.content
    return answer.json()


def actions(answer: Any) -> dict[str, str]:
    return {f"{each['kind']} {each['key']}": each["action"] for each in answer["changes"]}


def test_a_file_is_applied_and_again_changes_nothing(operator: Caller) -> None:
    first = sent(operator, "apply", WHOLE)
    assert first["changed"] is True
    assert set(actions(first).values()) == {"create"}
    assert actions(first).keys() == {
        "layer checkout",
        "backend large",
        "backend small",
        "metric thumbs-up",
        "endpoint chat",
        "experiment large-canary",
    }
    backend = Backend.objects.get(key="small")
    assert (backend.addresses, backend.fallback and backend.fallback.key) == (["http://10.0.0.5:8000"], "large")
    assert Layer.objects.get(key="checkout").holdout == 500
    assert Experiment.objects.get(key="large-canary").plan.alpha == 0.01

    events, tables = AuditEvent.objects.count(), RoutingTable.objects.count()
    again = sent(operator, "apply", WHOLE)
    assert (again["changed"], set(actions(again).values())) == (False, {"none"})
    assert (AuditEvent.objects.count(), RoutingTable.objects.count()) == (events, tables)


def test_all_of_a_file_is_published_as_one_table(operator: Caller) -> None:
    sent(operator, "apply", WHOLE)
    [table] = RoutingTable.objects.all()
    assert all(name in table.content for name in ("small", "large", "/chat"))


def test_a_plan_writes_nothing_and_a_viewer_may_make_one(viewer: Caller, operator: Caller) -> None:
    planned = sent(viewer, "plan", WHOLE)
    assert (planned["changed"], planned["may_apply"]) == (True, False)
    assert set(actions(planned).values()) == {"create"}
    counts = [model.objects.count() for model in (Backend, Endpoint, Layer, Experiment, AuditEvent, RoutingTable)]
    assert counts == [0] * 6
    assert not Metric.objects.filter(key="thumbs-up").exists()
    assert sent(viewer, "apply", WHOLE, 403)["code"] == "right-missing"
    assert sent(operator, "plan", WHOLE)["may_apply"] is True


def test_one_problem_at_the_end_keeps_all_of_it_out(operator: Caller) -> None:
    refused = sent(operator, "apply", WHOLE.replace("metric: thumbs-up", "metric: thumbs-down"), 400)
    [problem] = refused["problems"]
    assert problem["message"] == "There is no metric called thumbs-down."
    assert "thumbs-up" in problem["allowed"]
    assert WHOLE.splitlines()[problem["line"] - 1][problem["column"] - 1 :] == "thumbs-up"
    assert (Backend.objects.count(), RoutingTable.objects.count()) == (0, 0)


def test_a_plan_says_what_differs_and_whom_that_touches(operator: Caller) -> None:
    sent(operator, "apply", WHOLE)
    changed = WHOLE.replace("http://10.0.0.5:8000", "http://10.0.0.7:8000").replace("traffic: 20", "traffic: 50")
    planned = sent(operator, "plan", changed)
    by_key = {each["key"]: each for each in planned["changes"] if each["action"] != "none"}
    assert by_key.keys() == {"small", "large-canary"}
    assert by_key["small"]["differences"] == [
        {"field": "addresses.0", "before": "http://10.0.0.5:8000", "after": "http://10.0.0.7:8000"}
    ]
    assert by_key["small"]["endpoints"] == ["chat"]
    assert by_key["small"]["experiments"] == [{"key": "large-canary", "state": "draft"}]
    assert by_key["small"]["requests"] == 0
    assert by_key["large-canary"]["differences"] == [{"field": "traffic", "before": 20.0, "after": 50.0}]
    assert by_key["large-canary"]["line"] == WHOLE.splitlines().index("  - key: large-canary") + 1


def test_what_a_file_leaves_out_stays_as_it_is(operator: Caller) -> None:
    sent(operator, "apply", WHOLE)
    assert operator.send("PATCH", "backends/large", {"concurrency": 7}).status_code == 200
    assert sent(operator, "apply", WHOLE)["changed"] is False
    assert sent(operator, "apply", "backends: [{key: large, name: Larger}]")["changed"] is True
    backend = Backend.objects.get(key="large")
    assert (backend.name, backend.concurrency, backend.prompt_price) == ("Larger", 7, 2.5)


def test_what_has_started_is_not_rewritten_and_the_place_is_said(operator: Caller) -> None:
    start(draft("live", traffic=10), actor=SLUICE)
    same = "experiments: [{key: live, traffic: 10}]"
    assert actions(sent(operator, "apply", same)) == {"experiment live": "none"}
    refused = sent(operator, "apply", f"# ours\n{same.replace('10', '20')}", 409)
    assert refused["code"] == "not-a-draft"
    assert (refused["problems"][0]["line"], refused["problems"][0]["column"]) == (2, 15)
    assert refused["problems"][0]["field"] == "experiments.0"


def test_json_and_whatever_a_file_is_called_is_taken(operator: Caller) -> None:
    body = b'{\n\t"backends": [{"key": "a", "name": "A", "addresses": ["http://10.0.0.1:80"]}]\n}'
    for kind in ("application/json", "application/yaml", "text/plain", "application/x-www-form-urlencoded"):
        answer = operator.client.generic("POST", "/api/v1/specs/plan", body, kind)
        assert (answer.status_code, actions(answer.json())) == (200, {"backend a": "create"}), kind


def test_several_problems_are_said_at_once(operator: Caller) -> None:
    wrong = WHOLE.replace("alpha: 1e-2", "alpha: 5").replace("prompt_price: 2.5", "prompt_price: -1")
    refused = sent(operator, "plan", wrong, 400)
    told = {each["field"]: (each["line"], each["allowed"]) for each in refused["problems"]}
    lines = wrong.splitlines()
    assert told["experiments.0.plan.alpha"][1] == "a number, at least 1e-06, at most 0.2"
    assert "alpha" in lines[told["experiments.0.plan.alpha"][0] - 1]
    assert "prompt_price" in lines[told["backends.1.prompt_price"][0] - 1]
