"""What is named anywhere cannot be removed, and nothing is done when it is tried."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from controlplane.audit.actors import SLUICE
from controlplane.models import AuditEvent
from controlplane.problems.errors import Conflict
from experiments.actions.start import start
from routing.models import AccessKey, Backend, Endpoint, Entrance, Issuer, RoutingTable
from routing.resources.edit import edit
from routing.resources.issue_key import issue_key, revoke_key
from routing.resources.register import register
from routing.resources.remove import remove
from tests.factories.drafts import backend, draft, endpoint
from tests.factories.tokens import Signer
from tests.separate import run_apart
from tests.visitors.callers import Caller

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.database]


def with_tier() -> str:
    chat = endpoint()
    edit(chat, {"tiers": [{"key": "easy", "backend": "extra", "longest_bytes": 100}]}, actor=SLUICE)
    return "tiers of chat"


def with_shadow() -> str:
    chat = endpoint()
    edit(chat, {"shadows": [{"name": "try", "backend": "extra", "percent": 10}]}, actor=SLUICE)
    return "shadows of chat"


def with_default() -> str:
    register(Endpoint(key="search", name="search", path_prefix="/search", backend=backend("extra")), actor=SLUICE)
    return "search"


def with_standby() -> str:
    endpoint(standby="extra")
    return "chat"


def with_fallback() -> str:
    stable = backend("stable")
    edit(stable, {"fallback": backend("extra")}, actor=SLUICE)
    return "stable"


def with_draft() -> str:
    draft(candidates=[{"key": "better", "backend": "extra"}])
    return "canary/better"


def with_running_experiment() -> str:
    start(draft(candidates=[{"key": "better", "backend": "extra"}]), actor=SLUICE)
    return "running experiment canary"


USES = [with_tier, with_shadow, with_default, with_standby, with_fallback, with_draft, with_running_experiment]


@pytest.mark.parametrize("use", USES)
def test_a_backend_that_is_named_stays(use: Callable[[], str]) -> None:
    extra = backend("extra")
    user = use()
    versions, events = RoutingTable.objects.count(), AuditEvent.objects.count()

    with pytest.raises(Conflict) as caught:
        remove(extra, actor=SLUICE)

    assert caught.value.code == "in-use"
    assert user in caught.value.detail
    assert Backend.objects.filter(key="extra").exists()
    assert (RoutingTable.objects.count(), AuditEvent.objects.count()) == (versions, events)


def test_all_users_are_named(operator: Caller) -> None:
    backend("extra")
    with_tier()
    with_fallback()

    answer = operator.send("DELETE", "backends/extra")

    assert (answer.status_code, answer.json()["code"]) == (409, "in-use")
    assert answer.json()["detail"] == "The backend extra is used by stable, tiers of chat."
    assert operator.get("backends/extra").status_code == 200


def test_what_nobody_names_any_longer_goes(operator: Caller) -> None:
    backend("extra")
    with_tier()
    chat = endpoint()
    edit(chat, {"tiers": []}, actor=SLUICE)

    assert operator.send("DELETE", "backends/extra").status_code == 204
    assert operator.get("backends/extra").status_code == 404


def closed_endpoint() -> Endpoint:
    chat = endpoint()
    edit(chat, {"entrance": Entrance.KEY}, actor=SLUICE)
    return chat


def test_an_endpoint_that_a_key_opens_stays_as_the_key_would_open_all_without_it() -> None:
    chat = closed_endpoint()
    issue_key("app", endpoints=[chat], expires_at=None, actor=SLUICE)

    with pytest.raises(Conflict) as caught:
        remove(chat, actor=SLUICE)

    assert "access key app" in caught.value.detail
    assert AccessKey.objects.get().endpoints.get() == chat


def test_keys_that_let_nobody_in_keep_no_endpoint() -> None:
    chat = closed_endpoint()
    issue_key("app", endpoints=[chat], expires_at=None, actor=SLUICE)
    issue_key("web", endpoints=[chat], expires_at=timezone.now() - timedelta(days=1), actor=SLUICE)
    revoke_key(AccessKey.objects.get(client="app"), actor=SLUICE)

    remove(chat, actor=SLUICE)

    assert not Endpoint.objects.exists()


def test_an_issuer_and_a_layer_that_an_endpoint_names_stay() -> None:
    issuer = Issuer(key="login", name="Login", issuer="https://login.example.com", key_set=Signer().key_set())
    register(issuer, actor=SLUICE)
    chat = endpoint()
    edit(chat, {"entrance": Entrance.TOKEN, "issuer": issuer}, actor=SLUICE)

    for thing in (issuer, chat.layer):
        with pytest.raises(Conflict):
            remove(thing, actor=SLUICE)


def test_lists_that_are_none_name_nothing() -> None:
    extra = backend("extra")
    endpoint()
    Endpoint.objects.update(tiers={"backend": "extra"}, shadows=["extra"])

    remove(extra, actor=SLUICE)

    assert not Backend.objects.filter(key="extra").exists()


@pytest.mark.parametrize("order", [("name", "remove"), ("remove", "name")])
def test_of_two_who_name_and_remove_at_once_one_is_refused(tmp_path: Path, order: tuple[str, str]) -> None:
    found = run_apart("tests.routing.resources.racing", *order, folder=tmp_path)
    assert (len(found["refused"]), found["dangling"]) == (1, [])


def test_who_changes_what_is_just_being_removed_is_told_that_it_is_gone(tmp_path: Path) -> None:
    found = run_apart("tests.routing.resources.racing", "remove", "edit", folder=tmp_path)
    assert found["refused"] == ["404 removed"]


def test_who_removes_what_is_just_being_changed_removes_it(tmp_path: Path) -> None:
    found = run_apart("tests.routing.resources.racing", "edit", "remove", folder=tmp_path)
    assert found["refused"] == []
