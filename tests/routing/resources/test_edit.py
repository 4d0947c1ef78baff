"""Changing and removing what is in use."""

from typing import Any

import pytest

from controlplane.audit.actors import SLUICE, Actor
from controlplane.models import AuditEvent, Role
from controlplane.problems.errors import Conflict, NotAllowed, SluiceError
from experiments.actions.halt import halt_by_hand
from experiments.actions.start import start
from routing.models import Backend, Endpoint
from routing.resources.edit import edit
from routing.resources.register import register
from routing.resources.remove import remove
from tests.factories.drafts import backend, draft, endpoint
from tests.visitors.callers import Caller

pytestmark = pytest.mark.django_db


def test_an_endpoint_keeps_its_assignment_while_an_experiment_runs() -> None:
    start(draft(), actor=SLUICE)
    chat = Endpoint.objects.get()
    with pytest.raises(Conflict) as caught:
        edit(chat, {"unit_name": "x-other"}, actor=SLUICE)
    assert caught.value.code == "endpoint-in-use"


def test_a_candidate_does_not_become_the_default_while_a_halt_may_come() -> None:
    start(draft(), actor=SLUICE)
    chat = Endpoint.objects.get()
    with pytest.raises(Conflict) as caught:
        edit(chat, {"backend": Backend.objects.get(key="candidate")}, actor=SLUICE)
    assert caught.value.code == "default-is-candidate"
    edit(chat, {"backend": backend("third")}, actor=SLUICE)
    assert Endpoint.objects.get().backend.key == "third"
    edit(chat, {"unit_name": "x-user-id", "name": "Renamed"}, actor=SLUICE)
    assert Endpoint.objects.get().name == "Renamed"


@pytest.mark.parametrize("key", ["stable", "candidate"])
@pytest.mark.parametrize(
    "changes",
    [
        {"addresses": ["http://127.0.0.1:8"]},
        {"addresses": ["http://127.0.0.1:9", "http://127.0.0.1:8"]},
        {"registry_reference": "models:/adder/4"},
        {"registry_reference": ""},
        {"protocol": "http"},
    ],
)
def test_no_other_model_takes_the_place_of_one_that_is_measured(key: str, changes: dict[str, Any]) -> None:
    edit(backend(key), {"registry_reference": "models:/adder/3"}, actor=SLUICE)
    experiment = draft()
    start(experiment, actor=SLUICE)
    with pytest.raises(Conflict) as caught:
        edit(backend(key), changes, actor=SLUICE)
    assert caught.value.code == "backend-in-use"
    assert "canary" in caught.value.detail
    assert backend(key).registry_reference == "models:/adder/3"

    halt_by_hand(experiment, actor=SLUICE, reason="The model moves.")
    edit(backend(key), changes, actor=SLUICE)


def test_what_serves_a_measured_model_may_change() -> None:
    both = ["http://127.0.0.1:9", "http://127.0.0.1:8"]
    edit(backend("candidate"), {"addresses": both}, actor=SLUICE)
    start(draft(), actor=SLUICE)
    for changes in (
        {"addresses": both[::-1]},
        {"addresses": both[1:]},
        {"registry_reference": "models:/adder/3"},
        {"credential_secret": "new-key"},
        {"concurrency": 8},
    ):
        edit(backend("candidate"), changes, actor=SLUICE)
        assert {name: getattr(backend("candidate"), name) for name in changes} == changes


def test_a_backend_without_a_running_experiment_may_move(operator: Caller) -> None:
    experiment = draft()
    move = {"addresses": ["http://127.0.0.1:8"]}
    edit(backend("candidate"), move, actor=SLUICE)
    start(experiment, actor=SLUICE)
    edit(backend("third"), move, actor=SLUICE)
    answer = operator.send("PATCH", "backends/candidate", {"addresses": ["http://127.0.0.1:7"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "backend-in-use")
    assert "Halt these experiments first" in answer.json()["next_step"]


@pytest.mark.database
def test_what_is_used_cannot_be_removed() -> None:
    endpoint()
    with pytest.raises(Conflict) as caught:
        remove(backend("stable"), actor=SLUICE)
    assert "chat" in caught.value.detail
    assert Backend.objects.filter(key="stable").exists()


@pytest.mark.database
def test_a_backend_that_a_rule_names_cannot_be_removed() -> None:
    rule = {"key": "german", "conditions": ["x-country is DE"], "backend": "lonely"}
    lonely = backend("lonely")
    edit(endpoint(), {"rules": [rule]}, actor=SLUICE)
    with pytest.raises(SluiceError):
        remove(lonely, actor=SLUICE)
    assert Backend.objects.filter(key="lonely").exists()


def test_what_is_unused_can_be_removed_and_leaves_a_trace() -> None:
    remove(backend("lonely"), actor=SLUICE)
    assert not Backend.objects.exists()
    event = AuditEvent.objects.get(verb="remove")
    assert event.before["key"] == "lonely"


def test_a_viewer_registers_nothing() -> None:
    row = Backend(key="mine", name="mine", addresses=["http://127.0.0.1:9"])
    with pytest.raises(NotAllowed):
        register(row, actor=Actor("guest", Role.VIEWER))
    assert not Backend.objects.exists()


def test_each_endpoint_has_a_salt_of_its_own() -> None:
    first = endpoint("chat")
    second = endpoint("search")
    assert first.layer.salt
    assert first.layer.salt != second.layer.salt
