"""No door makes what is tried the default of those who try it: a halt gives everybody their default."""

from typing import Any

import pytest

from controlplane.audit.actors import SLUICE
from experiments.actions.halt import halt_by_hand
from experiments.actions.start import start
from experiments.models import Experiment, State
from routing.allocation.assign import assign
from routing.kill_switch.stop_experiments import stop_experiments
from routing.models import Endpoint
from routing.publishing.newest_table import desired_table
from routing.resources.edit import edit
from tests.factories.drafts import backend, draft, endpoint
from tests.visitors.callers import Caller

pytestmark = pytest.mark.django_db

TV = ["x-client is tv"]
RULE = {"key": "r2", "conditions": TV, "backend": "candidate"}
TIER = {"key": "short", "backend": "candidate", "conditions": TV}


@pytest.fixture
def trial() -> Experiment:
    """An experiment that tries `candidate` for an audience, on an endpoint whose standby that is."""
    endpoint(standby="candidate")
    return started("trial")


def started(key: str, **changes: Any) -> Experiment:
    experiment = draft(key, **{"audience": TV, "traffic": 10, **changes})
    start(experiment, actor=SLUICE)
    return experiment


def gets(headers: dict[str, str]) -> str:
    """What a user has whom no experiment takes."""
    [table] = desired_table(version=1).endpoints
    return assign(table, None, headers).backend


def refused(answer: Any) -> str:
    assert (answer.status_code, answer.json()["code"]) == (409, "default-is-candidate")
    return f"{answer.json()['detail']} {answer.json()['next_step']}"


@pytest.mark.parametrize(
    ("method", "path", "body", "source"),
    [
        ("PATCH", "endpoints/chat", {"backend": "candidate", "standby": None}, "by the default of chat"),
        ("PATCH", "endpoints/chat", {"rules": [RULE]}, "by rule r2"),
        (
            "PATCH",
            "endpoints/chat",
            {"rules": [{**RULE, "conditions": [*TV, "x-beta is present"], "headers": {"x-prompt": "v2"}}]},
            "by rule r2",
        ),
        ("PATCH", "endpoints/chat", {"tiers": [TIER]}, "by tier short"),
        ("POST", "endpoints/chat/switch", {"forced": True}, "by the default of chat"),
        ("PATCH", "backends/stable", {"fallback": "candidate"}, "as the fallback of stable"),
        (
            "POST",
            "specs/apply",
            {"endpoints": [{"key": "chat", "rules": [RULE]}]},
            "by rule r2",
        ),
    ],
)
def test_a_door_is_shut_while_the_candidate_is_tried(
    trial: Experiment, operator: Caller, method: str, path: str, body: Any, source: str
) -> None:
    said = refused(operator.send(method, path, body))
    assert source in said
    assert "trial" in said
    assert gets({"x-client": "tv"}) == "stable"

    halt_by_hand(trial, actor=SLUICE, reason="harm")
    assert gets({"x-client": "tv"}) == "stable"
    assert operator.send(method, path, body).status_code == 200


def test_a_promotion_waits_for_another_experiment_with_the_same_candidate(trial: Experiment, operator: Caller) -> None:
    started("first", audience=[])
    said = refused(operator.send("POST", "experiments/first/promote", {"reason": "It is better."}))
    assert "candidate of trial" in said
    assert Experiment.objects.get(key="first").state == State.RUNNING
    assert gets({}) == "stable"

    halt_by_hand(trial, actor=SLUICE, reason="harm")
    assert operator.send("POST", "experiments/first/promote", {"reason": "It is better."}).status_code == 200
    assert gets({}) == "candidate"


def test_what_users_have_is_no_candidate_to_start_with(operator: Caller) -> None:
    edit(endpoint(), {"rules": [{**RULE, "backend": backend("candidate").key}]}, actor=SLUICE)
    draft("late", audience=TV)
    assert "by rule r2" in refused(operator.send("POST", "experiments/late/start", {}))
    assert Experiment.objects.get(key="late").state == State.DRAFT


def test_a_rule_that_is_taken_away_gives_nobody_the_candidate_beneath(operator: Caller) -> None:
    rule = {"key": "old", "conditions": TV, "backend": "stable"}
    edit(endpoint(), {"backend": backend("candidate"), "rules": [rule]}, actor=SLUICE)
    started("trial")
    assert "by the default of chat" in refused(operator.send("PATCH", "endpoints/chat", {"rules": []}))


def test_who_has_a_candidate_already_by_a_narrower_rule_keeps_it(operator: Caller) -> None:
    edit(endpoint(), {"rules": [{**RULE, "backend": backend("candidate").key}]}, actor=SLUICE)
    started("everybody", audience=[])
    narrower = {**RULE, "conditions": [*TV, "x-beta is present"]}
    assert operator.send("PATCH", "endpoints/chat", {"rules": [narrower]}).status_code == 200
    refused(operator.send("PATCH", "endpoints/chat", {"rules": [RULE]}))


@pytest.mark.parametrize(
    "changes",
    [
        {"rules": [{**RULE, "conditions": ["x-client is phone"]}]},
        {"rules": [{**RULE, "backend": "third"}]},
        {"tiers": [{**TIER, "conditions": ["x-client is phone"]}]},
        {"backend": "third"},
        {"name": "Renamed"},
    ],
)
def test_what_gives_nobody_the_candidate_may_change(
    trial: Experiment, operator: Caller, changes: dict[str, Any]
) -> None:
    backend("third")
    assert operator.send("PATCH", "endpoints/chat", changes).status_code == 200


def test_a_variant_may_differ_from_the_default_in_what_it_sets_alone(operator: Caller) -> None:
    prompt = {"x-prompt": "v2"}
    endpoint()
    started("prompt", candidates=[{"key": "better", "backend": "stable", "headers": prompt}])
    refused(operator.send("PATCH", "endpoints/chat", {"headers": {"X-Prompt": "v2"}}))
    assert operator.send("PATCH", "endpoints/chat", {"headers": {"x-prompt": "v3"}}).status_code == 200


def test_a_stopped_experiment_counts_as_it_goes_on_later(trial: Experiment, operator: Caller) -> None:
    stop_experiments(Endpoint.objects.get(), actor=SLUICE, reason="alarm")
    refused(operator.send("PATCH", "endpoints/chat", {"rules": [RULE]}))


@pytest.mark.parametrize("headers", [{}, {"x-noise": "1"}])
def test_who_has_the_candidate_first_makes_it_nobody_elses(operator: Caller, headers: dict[str, str]) -> None:
    staff = {"key": "staff", "conditions": ["x-staff is yes"], "backend": backend("candidate").key}
    edit(endpoint(), {"rules": [staff]}, actor=SLUICE)
    started("everybody", audience=[])
    refused(operator.send("PATCH", "endpoints/chat", {"backend": "candidate", "headers": headers}))
    assert gets({}) == "stable"


def test_another_header_beside_what_is_tried_makes_it_no_other(operator: Caller) -> None:
    endpoint()
    started("prompt", candidates=[{"key": "better", "backend": "stable", "headers": {"x-prompt": "v2"}}])
    refused(operator.send("PATCH", "endpoints/chat", {"headers": {"x-prompt": "v2", "x-team": "b"}}))
    assert operator.send("PATCH", "endpoints/chat", {"headers": {"x-team": "b"}}).status_code == 200


def test_what_is_tried_with_a_header_is_tried_without_it_too(operator: Caller) -> None:
    endpoint()
    candidate = {"key": "better", "backend": backend("candidate").key, "headers": {"x-prompt": "v2"}}
    started("both", candidates=[candidate])
    refused(operator.send("PATCH", "endpoints/chat", {"backend": "candidate"}))
