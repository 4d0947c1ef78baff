"""The kill switch by REST."""

import pytest

from controlplane.audit.actors import SLUICE
from experiments.actions.start import start
from tests.factories.drafts import draft
from tests.visitors.callers import Caller


@pytest.fixture(autouse=True)
def _running(db: None) -> None:
    start(draft(), actor=SLUICE)


def test_it_is_off_until_it_is_turned_on(operator: Caller) -> None:
    assert operator.get("kill-switch").json() == {"everywhere": None, "endpoints": []}


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize("endpoint", [None, "chat"])
def test_a_stopped_experiment_says_so(operator: Caller, endpoint: str | None) -> None:
    body = {"on": True, "reason": "looks wrong"} | ({"endpoint": endpoint} if endpoint else {})
    state = operator.send("POST", "kill-switch", body).json()
    [stop] = state["endpoints"] if endpoint else [state["everywhere"]]
    assert (stop["endpoint"], stop["by"], stop["reason"]) == (endpoint, "approver", "looks wrong")
    read = operator.get("experiments/canary").json()
    assert (read["state"], read["stopped"]) == ("running", stop)
    operator.send("POST", "kill-switch", {**body, "on": False})
    assert operator.get("experiments/canary").json()["stopped"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"on": True}, "reason"),
        ({"on": True, "reason": " "}, "reason"),
        ({"reason": "looks wrong"}, "on"),
        ({"on": True, "reason": "looks wrong", "endpoint": "nothing"}, "endpoint"),
    ],
)
def test_what_is_missing_is_named(operator: Caller, body: dict[str, object], field: str) -> None:
    answer = operator.send("POST", "kill-switch", body)
    assert answer.status_code == 400
    assert [problem["field"] for problem in answer.json()["problems"]] == [field]
    assert operator.get("kill-switch").json()["everywhere"] is None


@pytest.mark.parametrize("on", [True, False])
def test_a_misspelt_endpoint_turns_nothing(operator: Caller, on: bool) -> None:
    """Without an endpoint it is the switch of all of them."""
    answer = operator.send("POST", "kill-switch", {"on": on, "reason": "looks wrong", "endpoints": ["chat"]})
    assert answer.status_code == 400
    assert [problem["field"] for problem in answer.json()["problems"]] == ["endpoints"]
    assert operator.get("kill-switch").json()["everywhere"] is None


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize("form", ["text/html", "application/xml", "nonsense"])
def test_it_is_turned_whatever_form_of_answer_is_accepted(operator: Caller, form: str) -> None:
    operator.client.defaults["HTTP_ACCEPT"] = form
    answer = operator.send("POST", "kill-switch", {"on": True, "reason": "looks wrong"})
    del operator.client.defaults["HTTP_ACCEPT"]
    assert answer.status_code == 200
    assert operator.get("kill-switch").json()["everywhere"] is not None
