"""A backend that only history names, and an edge that is gone for good, can be retired; what lives keeps its own."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from controlplane.audit.actors import SLUICE, Actor
from controlplane.models import AuditEvent, Role
from controlplane.problems.errors import Conflict, InvalidInput, NotAllowed
from experiments.actions.conclude import conclude
from experiments.actions.delete import delete
from experiments.actions.halt import halt_by_hand
from experiments.actions.pause import pause
from experiments.actions.promote import promote_by_hand
from experiments.actions.start import start
from experiments.decide import Decision, DecisionKind
from experiments.models import Experiment, State
from routing.alerts.current import alerts
from routing.edges.retire_edge import retire_edge
from routing.kill_switch.stop_experiments import stop_experiments
from routing.models import Backend, Edge, Endpoint
from routing.publishing.newest_table import desired_table
from routing.publishing.publish import publish
from routing.resources.edit import edit
from routing.resources.register import register
from routing.resources.remove import remove
from routing.resources.restore import restore
from routing.resources.retire import retire
from routing.table import reached
from tests.factories.drafts import backend, draft
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db

VIEWER = Actor("guest", Role.VIEWER)


@pytest.fixture
def halted() -> Experiment:
    """An experiment on chat that has ended: stable was its control, candidate its candidate."""
    experiment = draft()
    start(experiment, actor=SLUICE)
    halt_by_hand(experiment, actor=SLUICE, reason="looks wrong")
    return experiment


def known() -> set[str]:
    return {found.key for found in desired_table(1).backends}


def asked() -> set[str]:
    """Whom edges ask whether they are healthy."""
    return {found.key for found in reached(desired_table(1))}


def candidate() -> Backend:
    return Backend.objects.get(key="candidate")


def test_what_only_history_names_is_retired_and_history_still_names_it(halted: Experiment) -> None:
    retire(candidate(), actor=SLUICE)
    assert candidate().retired_at is not None
    assert known() == {"stable"}
    assert [variant.backend.key for variant in halted.variants.all()] == ["stable", "candidate"]
    event = AuditEvent.objects.get(verb="retire")
    assert (event.actor, event.object_type, event.object_key) == ("sluice", "backend", "candidate")


@pytest.mark.database
def test_it_cannot_be_removed_and_the_refusal_says_what_can_be_done(halted: Experiment) -> None:
    with pytest.raises(Conflict) as caught:
        remove(candidate(), actor=SLUICE)
    assert "can be retired" in caught.value.next_step


def standby() -> None:
    Endpoint.objects.update(standby=candidate())


def tier() -> None:
    Endpoint.objects.update(tiers=[{"key": "short", "backend": "candidate", "longest_bytes": 9}])


def shadow() -> None:
    Endpoint.objects.update(shadows=[{"name": "try", "backend": "candidate", "percent": 5}])


def fallback() -> None:
    Backend.objects.filter(key="stable").update(fallback=candidate())


def default() -> None:
    Endpoint.objects.update(backend=candidate())


def another_draft() -> None:
    draft("waiting")


def another_running() -> None:
    start(draft("living"), actor=SLUICE)


def another_paused() -> None:
    another_running()
    pause(Experiment.objects.get(key="living"), actor=SLUICE)


def another_stopped() -> None:
    another_running()
    stop_experiments(None, actor=SLUICE, reason="looks wrong")


USES = [
    (default, "chat"),
    (standby, "chat"),
    (tier, "tiers of chat"),
    (shadow, "shadows of chat"),
    (fallback, "stable"),
    (another_draft, "waiting/better"),
    (another_running, "living/better, running experiment living"),
    (another_paused, "living/better, running experiment living"),
    (another_stopped, "living/better, running experiment living"),
]


@pytest.mark.database
@pytest.mark.parametrize(("use", "user"), USES)
def test_what_lives_keeps_its_backend(halted: Experiment, use: Callable[[], None], user: str) -> None:
    use()
    with pytest.raises(Conflict) as caught:
        retire(candidate(), actor=SLUICE)
    assert (caught.value.code, caught.value.detail) == ("in-use", f"The backend candidate is used by {user}.")
    assert candidate().retired_at is None
    assert not AuditEvent.objects.filter(verb="retire").exists()


def test_once_the_draft_is_gone_nothing_holds_it(halted: Experiment) -> None:
    waiting = draft("waiting")
    delete(waiting, actor=SLUICE)
    retire(candidate(), actor=SLUICE)
    assert candidate().retired_at is not None


def test_a_retired_backend_holds_its_fallback_no_longer(halted: Experiment) -> None:
    Backend.objects.filter(key="candidate").update(fallback=backend("spare"))
    with pytest.raises(Conflict):
        retire(backend("spare"), actor=SLUICE)
    retire(candidate(), actor=SLUICE)
    retire(backend("spare"), actor=SLUICE)
    assert known() == {"stable"}
    with pytest.raises(InvalidInput) as caught:
        restore(candidate(), actor=SLUICE)
    assert caught.value.code == "backend-unknown"
    assert candidate().retired_at is not None


def test_it_comes_back_as_it_was(halted: Experiment) -> None:
    retire(candidate(), actor=SLUICE)
    with pytest.raises(Conflict) as caught:
        retire(candidate(), actor=SLUICE)
    assert caught.value.code == "retired"
    restore(candidate(), actor=SLUICE)
    assert known() == {"stable", "candidate"}
    with pytest.raises(Conflict) as caught:
        restore(candidate(), actor=SLUICE)
    assert caught.value.code == "not-retired"
    assert AuditEvent.objects.filter(object_key="candidate", verb__in=("retire", "restore")).count() == 2
    draft("again")


def test_only_operators_may(halted: Experiment) -> None:
    with pytest.raises(NotAllowed):
        retire(candidate(), actor=VIEWER)
    retire(candidate(), actor=SLUICE)
    with pytest.raises(NotAllowed):
        restore(candidate(), actor=VIEWER)


def test_nothing_new_can_name_a_retired_backend(halted: Experiment) -> None:
    retire(candidate(), actor=SLUICE)
    for field, value in (
        ("backend", candidate()),
        ("tiers", [{"key": "short", "backend": "candidate", "longest_bytes": 9}]),
        ("shadows", [{"name": "try", "backend": "candidate", "percent": 5}]),
        ("standby", candidate()),
    ):
        with pytest.raises(InvalidInput) as caught:
            edit(Endpoint.objects.get(), {field: value}, actor=SLUICE)
        assert caught.value.code == "backend-unknown", field
        assert "restore" in caught.value.next_step
    with pytest.raises(InvalidInput):
        edit(backend("stable"), {"fallback": candidate()}, actor=SLUICE)
    with pytest.raises(InvalidInput):
        register(Endpoint(key="new", name="New", path_prefix="/new", backend=candidate()), actor=SLUICE)
    with pytest.raises(InvalidInput) as refused:
        draft("again")
    assert refused.value.problems[0].field == "candidates.0.backend"
    assert "The backend candidate is retired" in refused.value.detail


def test_who_could_still_win_cannot_be_promoted_once_retired() -> None:
    experiment = draft()
    start(experiment, actor=SLUICE)
    conclude(experiment, Decision(DecisionKind.INCONCLUSIVE, "not-shown", "Cannot say."), actor=SLUICE)
    retire(candidate(), actor=SLUICE)
    with pytest.raises(Conflict) as caught:
        promote_by_hand(experiment, actor=SLUICE, reason="looks right")
    assert caught.value.code == "backend-retired"
    assert Experiment.objects.get().state == State.INCONCLUSIVE
    restore(candidate(), actor=SLUICE)
    promote_by_hand(experiment, actor=SLUICE, reason="looks right")
    assert Endpoint.objects.get().backend == candidate()


@pytest.mark.parametrize(("use", "_"), USES)
def test_edges_ask_only_who_can_be_reached_and_who_stands_by(
    halted: Experiment, use: Callable[[], None], _: str
) -> None:
    """The halted experiment's candidate is known and not asked, until something but a draft leads to it again."""
    backend("spare")
    assert (known(), asked()) == ({"stable", "candidate", "spare"}, {"stable"})
    use()
    assert ("candidate" in asked()) == (use is not another_draft)
    assert "spare" not in asked()


def test_what_the_kill_switch_stopped_is_kept_warm() -> None:
    start(draft(), actor=SLUICE)
    stop_experiments(None, actor=SLUICE, reason="looks wrong")
    assert desired_table(1).endpoints[0].experiments == ()
    assert asked() == {"stable", "candidate"}


@pytest.fixture
def silent() -> Edge:
    seen_at = timezone.now() - timedelta(minutes=5)
    return Edge.objects.create(name="frankfurt-1.example.com", zone="eu", seen_at=seen_at)


def test_an_edge_that_is_gone_is_forgotten(silent: Edge) -> None:
    assert [alert.code for alert in alerts(timezone.now())] == ["edge-silent"]
    retire_edge(silent, actor=SLUICE)
    assert not Edge.objects.exists()
    assert alerts(timezone.now()) == []
    event = AuditEvent.objects.get(verb="retire")
    assert (event.object_type, event.object_key, event.before["zone"]) == ("edge", silent.name, "eu")


def test_an_edge_that_reports_is_kept(silent: Edge) -> None:
    Edge.objects.update(seen_at=timezone.now())
    with pytest.raises(Conflict) as caught:
        retire_edge(silent, actor=SLUICE)
    assert caught.value.code == "edge-reports"
    assert Edge.objects.exists()
    assert not AuditEvent.objects.filter(verb="retire").exists()


@pytest.mark.database
def test_two_who_retire_an_edge_at_once_record_it_once(silent: Edge) -> None:
    twin = Edge.objects.get()
    retire_edge(silent, actor=SLUICE)
    with pytest.raises(Conflict):
        retire_edge(twin, actor=SLUICE)
    assert AuditEvent.objects.filter(verb="retire").count() == 1


def test_a_viewer_retires_no_edge(silent: Edge) -> None:
    with pytest.raises(NotAllowed):
        retire_edge(silent, actor=VIEWER)
    assert Edge.objects.exists()


def lost(rows: int | None, experiment: str, until: datetime) -> dict[str, Any]:
    when = {"run": "one", "since": until.isoformat(), "until": until.isoformat()}
    return {**when, "backend": "candidate", "experiment": experiment, "variant": "better", "rows": rows}


@pytest.mark.parametrize("rows", [3, None])
def test_what_an_edge_lost_of_a_running_experiment_is_not_forgotten(silent: Edge, rows: int | None) -> None:
    experiment = draft()
    start(experiment, actor=SLUICE)
    publish("test")
    Edge.objects.update(losses=[lost(rows, "" if rows is None else experiment.key, timezone.now())])
    silent.refresh_from_db()
    with pytest.raises(Conflict) as caught:
        retire_edge(silent, actor=SLUICE)
    assert (caught.value.code, experiment.key in caught.value.detail) == ("edge-lost-rows", True)
    operator = visitor(Role.APPROVER)
    assert f"Can be retired once {experiment.key} has ended" in text(operator, "/edges")
    assert "Retire frankfurt" not in text(operator, "/edges")
    halt_by_hand(experiment, actor=SLUICE, reason="looks wrong")
    assert "Retire frankfurt" in text(operator, "/edges")
    retire_edge(silent, actor=SLUICE)
    assert not Edge.objects.exists()


def test_what_an_edge_lost_before_an_experiment_holds_it_no_longer(silent: Edge) -> None:
    draft()
    before = timezone.now()
    start(Experiment.objects.get(), actor=SLUICE)
    publish("test")
    Edge.objects.update(losses=[lost(None, "", before), lost(0, "canary", before), lost(4, "another", before)])
    silent.refresh_from_db()
    retire_edge(silent, actor=SLUICE)
    assert not Edge.objects.exists()
