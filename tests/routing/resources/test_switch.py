"""Blue-green: a switch swaps the backend and the standby for all users, and back."""

import pytest

from controlplane.audit.actors import SLUICE, Actor
from controlplane.models import AuditEvent, Role
from controlplane.problems.errors import Conflict, NotAllowed
from experiments.actions.promote import promote_by_hand
from experiments.actions.start import start
from routing.models import Endpoint, RoutingTable
from routing.publishing.newest_table import desired_table
from routing.resources.switch import switch
from tests.factories.drafts import backend, draft, endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def warm() -> Endpoint:
    return endpoint(standby="candidate")


def sides() -> tuple[str, str | None]:
    found = Endpoint.objects.get()
    return found.backend.key, found.standby.key if found.standby else None


def test_the_standby_answers_and_the_same_again_goes_back(warm: Endpoint) -> None:
    switch(warm, actor=SLUICE)
    assert sides() == ("candidate", "stable")
    assert desired_table(1).endpoints[0].backend == "candidate"
    switch(warm, actor=SLUICE)
    assert sides() == ("stable", "candidate")


def test_a_switch_is_published_and_recorded(warm: Endpoint) -> None:
    versions = RoutingTable.objects.count()
    switch(warm, actor=SLUICE, reason="all tests are green")
    assert RoutingTable.objects.count() == versions + 1
    event = AuditEvent.objects.get(verb="switch")
    assert event.before == {"backend": "stable", "standby": "candidate"}
    assert event.after == {"backend": "candidate", "standby": "stable"}
    assert event.reason == "all tests are green"


def test_the_standby_is_in_the_table_before_it_answers(warm: Endpoint) -> None:
    assert "candidate" in {found.key for found in desired_table(1).backends}


def test_without_a_standby_there_is_no_switch() -> None:
    with pytest.raises(Conflict) as caught:
        switch(endpoint(), actor=SLUICE)
    assert caught.value.code == "standby-missing"


@pytest.mark.database
def test_two_who_switch_at_once_do_not_undo_each_other(warm: Endpoint) -> None:
    switch(warm, actor=SLUICE, to="candidate")
    with pytest.raises(Conflict) as caught:
        switch(warm, actor=SLUICE, to="candidate")
    assert caught.value.code == "standby-changed"
    assert sides() == ("candidate", "stable")


def test_while_experiments_run_it_has_to_be_forced(warm: Endpoint) -> None:
    start(draft(candidates=[{"key": "better", "backend": backend("third").key}]), actor=SLUICE)
    with pytest.raises(Conflict) as caught:
        switch(warm, actor=SLUICE)
    assert caught.value.code == "experiments-run"
    assert "canary" in caught.value.detail
    switch(warm, actor=SLUICE, forced=True)
    [running] = desired_table(1).endpoints[0].experiments
    assert [arm.backend for arm in running.arms] == ["stable", "third"]
    assert sides() == ("candidate", "stable")


def test_a_promotion_to_the_standby_keeps_what_answered_before_as_standby(warm: Endpoint) -> None:
    experiment = draft()
    start(experiment, actor=SLUICE)
    promote_by_hand(experiment, actor=SLUICE, reason="looks right")
    assert sides() == ("candidate", "stable")


def test_a_viewer_switches_nothing(warm: Endpoint) -> None:
    with pytest.raises(NotAllowed):
        switch(warm, actor=Actor("guest", Role.VIEWER))
    assert sides() == ("stable", "candidate")
