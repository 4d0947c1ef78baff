"""A write changes its own fields alone, on the row as it is, and counts its version up."""

from collections.abc import Callable
from functools import partial

import pytest
from django.apps import apps

from controlplane.audit.actors import SLUICE
from controlplane.models import AuditEvent
from controlplane.problems.errors import InvalidInput, Missing, Outdated, SluiceError
from controlplane.storage.versions import Versioned
from experiments.actions.promote import promote_by_hand
from experiments.actions.start import start
from experiments.metrics.edit_metric import edit_metric
from experiments.metrics.remove_metric import remove_metric
from experiments.models import Metric
from routing.models import Endpoint, Layer
from routing.resources.edit import edit
from routing.resources.remove import remove
from routing.resources.switch import switch
from tests.factories.drafts import backend, draft, endpoint

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def chat() -> Endpoint:
    """As somebody read it who then was slow."""
    return endpoint(standby="warm")


def promote() -> None:
    experiment = draft()
    start(experiment, actor=SLUICE)
    promote_by_hand(experiment, actor=SLUICE, reason="looks right")


def present() -> Endpoint:
    return Endpoint.objects.get(key="chat")


def test_who_read_it_before_a_promotion_does_not_undo_it(chat: Endpoint) -> None:
    promote()

    edit(chat, {"name": "Renamed"}, actor=SLUICE)

    assert (present().name, present().backend.key) == ("Renamed", "candidate")


def test_who_promotes_does_not_undo_what_was_changed_meanwhile(chat: Endpoint) -> None:
    experiment = draft()
    start(experiment, actor=SLUICE)
    assert experiment.endpoint.standby is not None
    edit(chat, {"standby": backend("warmer"), "timeout_seconds": 7}, actor=SLUICE)

    promote_by_hand(experiment, actor=SLUICE, reason="looks right")

    found = present()
    assert found.standby is not None
    assert (found.backend.key, found.standby.key, found.timeout_seconds) == ("candidate", "warmer", 7)


def test_each_change_counts_and_nothing_else_does(chat: Endpoint) -> None:
    versions = [present().version]
    changes: list[Callable[[], None]] = [
        partial(edit, chat, {"name": "Renamed"}, actor=SLUICE),
        partial(edit, chat, {"name": "Renamed"}, actor=SLUICE),
        partial(switch, chat, actor=SLUICE),
        promote,
    ]
    for change in changes:
        change()
        versions.append(present().version)

    assert versions == [1, 2, 2, 3, 4]
    assert [event.verb for event in AuditEvent.objects.filter(object_type="endpoint").order_by("id")] == [
        "register",
        "edit",
        "switch",
        "promote",
    ]


WRITES: dict[str, Callable[[Endpoint], None]] = {
    "edit": lambda chat: edit(chat, {"timeout_seconds": 7}, actor=SLUICE, version=1),
    "switch": lambda chat: switch(chat, actor=SLUICE, version=1),
    "remove": lambda chat: remove(chat, actor=SLUICE, version=1),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=list(WRITES))
def test_who_asks_for_the_version_that_was_seen_is_told_of_another(
    chat: Endpoint, write: Callable[[Endpoint], None]
) -> None:
    edit(chat, {"name": "Theirs"}, actor=SLUICE)
    events = AuditEvent.objects.count()

    with pytest.raises(Outdated):
        write(chat)

    found = present()
    assert (found.name, found.timeout_seconds, found.backend.key) == ("Theirs", 10, "stable")
    assert AuditEvent.objects.count() == events


def test_a_metric_is_asked_for_by_its_version_too() -> None:
    latency = Metric.objects.get(key="cost-per-request")
    edit_metric(latency, {"description": "Theirs."}, actor=SLUICE, version=1)

    with pytest.raises(Outdated):
        edit_metric(latency, {"name": "Mine"}, actor=SLUICE, version=1)
    with pytest.raises(Outdated):
        remove_metric(latency, actor=SLUICE, version=1)
    edit_metric(latency, {"name": "Mine"}, actor=SLUICE)

    latency.refresh_from_db()
    assert (latency.name, latency.description, latency.version) == ("Mine", "Theirs.", 3)


def test_what_was_removed_meanwhile_is_missing() -> None:
    layer = Layer.objects.create(key="empty", name="Empty", salt="x")
    remove(layer, actor=SLUICE)
    layer.pk = 99

    with pytest.raises(Missing):
        edit(layer, {"name": "Renamed"}, actor=SLUICE)
    with pytest.raises(Missing):
        remove(layer, actor=SLUICE)


def test_fields_that_do_not_go_together_are_refused_on_the_row_as_it_is(chat: Endpoint) -> None:
    edit(present(), {"backend": backend("warmer")}, actor=SLUICE)

    with pytest.raises(InvalidInput) as refusal:
        edit(chat, {"standby": backend("warmer")}, actor=SLUICE)

    assert [problem.field for problem in refusal.value.problems] == ["standby"]
    assert present().version == 2


def test_a_metric_that_makes_no_sense_any_more_is_refused() -> None:
    """Each of two changes would do alone."""
    cost = Metric.objects.create(key="spent", name="Spent", type="mean", numerator="cost", direction="decrease")
    edit_metric(cost, {"cap": 5.0}, actor=SLUICE)

    with pytest.raises(SluiceError):
        edit_metric(cost, {"type": "proportion", "numerator": "errors"}, actor=SLUICE)

    assert Metric.objects.get(key="spent").type == "mean"


def test_what_people_edit_has_a_version() -> None:
    assert {model.__name__ for model in apps.get_models() if issubclass(model, Versioned)} == {
        "Backend",
        "Endpoint",
        "Experiment",
        "Issuer",
        "Layer",
        "Metric",
    }
