"""Which verbs an experiment takes in which state, and what each leaves behind."""

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.audit.actors import SLUICE, Actor
from controlplane.models import AuditEvent, Role
from controlplane.problems.errors import Conflict, InvalidInput, NotAllowed
from experiments.actions.advance import advance
from experiments.actions.conclude import conclude
from experiments.actions.delete import delete
from experiments.actions.halt import halt_by_hand
from experiments.actions.pause import pause
from experiments.actions.promote import promote_by_hand
from experiments.actions.resume import resume
from experiments.actions.start import start
from experiments.decide import Decision, DecisionKind
from experiments.lifecycle.append_decision import hashed_content
from experiments.lifecycle.ledger import first_broken_link
from experiments.models import Experiment, State
from routing.models import Backend, Endpoint, Split
from tests.factories.drafts import draft

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

ADVANCE = Decision(DecisionKind.ADVANCE, "advance-1", "Nothing is wrong.")
CONCLUDE = Decision(DecisionKind.INCONCLUSIVE, "not-shown", "Cannot say.")
numbers = count()


def halt(experiment: Experiment) -> None:
    halt_by_hand(experiment, actor=SLUICE, reason="looks wrong")


def promote(experiment: Experiment) -> None:
    promote_by_hand(experiment, actor=SLUICE, reason="looks right")


VERBS: dict[str, tuple[Callable[[Experiment], None], set[State], State]] = {
    "start": (lambda e: start(e, actor=SLUICE), {State.DRAFT}, State.RUNNING),
    "advance": (lambda e: advance(e, ADVANCE, actor=SLUICE), {State.RUNNING}, State.RUNNING),
    "pause": (lambda e: pause(e, actor=SLUICE), {State.RUNNING}, State.PAUSED),
    "resume": (lambda e: resume(e, actor=SLUICE), {State.PAUSED}, State.RUNNING),
    "halt": (halt, {State.RUNNING, State.PAUSED}, State.HALTED),
    "promote": (promote, {State.RUNNING, State.PAUSED, State.INCONCLUSIVE}, State.PROMOTED),
    "conclude": (lambda e: conclude(e, CONCLUDE, actor=SLUICE), {State.RUNNING}, State.INCONCLUSIVE),
}


@pytest.mark.database
@given(st.lists(st.sampled_from(sorted(VERBS)), max_size=8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_sequence_of_verbs_keeps_to_the_state_machine(verbs: list[str]) -> None:
    experiment = draft(f"sequence-{next(numbers)}", traffic=0.1)
    for verb in verbs:
        act, allowed, target = VERBS[verb]
        before, on_last_stage = experiment.state, experiment.stage_index == 1
        if before not in allowed or (verb == "advance" and on_last_stage):
            with pytest.raises(Conflict):
                act(experiment)
            assert Experiment.objects.get(pk=experiment.pk).state == before
        else:
            act(experiment)
            assert Experiment.objects.get(pk=experiment.pk).state == target
    live = experiment.state in (State.RUNNING, State.PAUSED)
    assert Split.objects.filter(experiment=experiment.key).exists() == live
    Split.objects.filter(experiment=experiment.key).delete()
    Endpoint.objects.update(backend=Backend.objects.get(key="stable"))


@pytest.mark.database
def test_a_late_writer_changes_nothing() -> None:
    experiment = draft()
    start(experiment, actor=SLUICE)
    stale = Experiment.objects.get(pk=experiment.pk)
    halt(experiment)
    with pytest.raises(Conflict) as caught:
        pause(stale, actor=SLUICE)
    assert caught.value.code == "overtaken"
    assert Experiment.objects.get(pk=experiment.pk).state == State.HALTED


@pytest.mark.database
def test_two_workers_advance_once() -> None:
    experiment = draft()
    start(experiment, actor=SLUICE)
    stale = Experiment.objects.get(pk=experiment.pk)
    advance(experiment, ADVANCE, actor=SLUICE)
    with pytest.raises(Conflict):
        advance(stale, ADVANCE, actor=SLUICE)
    assert Experiment.objects.get(pk=experiment.pk).stage_index == 1
    assert experiment.decisions.count() == 1


@pytest.mark.database
def test_who_read_an_earlier_pause_does_not_resume_a_later_one() -> None:
    """The time of the later one would count as soaking."""
    experiment = draft()
    start(experiment, actor=SLUICE)
    pause(experiment, actor=SLUICE)
    stale = Experiment.objects.get(pk=experiment.pk)
    resume(experiment, actor=SLUICE)
    pause(experiment, actor=SLUICE)
    with pytest.raises(Conflict) as caught:
        resume(stale, actor=SLUICE)
    assert caught.value.code == "overtaken"


def test_a_viewer_changes_nothing() -> None:
    experiment = draft()
    with pytest.raises(NotAllowed):
        start(experiment, actor=Actor("guest", Role.VIEWER))
    assert Experiment.objects.get(pk=experiment.pk).state == State.DRAFT


def test_starting_freezes_the_plan_and_places_every_arm() -> None:
    experiment = draft()
    start(experiment, actor=SLUICE)
    experiment.plan.refresh_from_db()
    split = Split.objects.get(experiment="canary")
    assert experiment.plan.frozen_at is not None
    assert split.coverage == 1000
    assert [(arm["variant"], arm["start"], arm["end"]) for arm in split.arms] == [
        ("control", 0, 5000),
        ("better", 5000, 10_000),
    ]


def test_experiments_on_one_endpoint_share_no_user() -> None:
    start(draft("first", traffic=60), actor=SLUICE)
    second, third = draft("second", traffic=40), draft("third", traffic=1)
    start(second, actor=SLUICE)
    with pytest.raises(Conflict) as caught:
        start(third, actor=SLUICE)
    assert caught.value.code == "no-free-traffic"
    assert Experiment.objects.get(pk=third.pk).state == State.DRAFT
    spans = sorted(Split.objects.values_list("start", "end"))
    assert spans == [(0, 6000), (6000, 10_000)]


def test_promotion_changes_the_endpoint_and_names_the_variant() -> None:
    experiment = draft()
    start(experiment, actor=SLUICE)
    promote(experiment)
    experiment.endpoint.refresh_from_db()
    assert experiment.endpoint.backend.key == "candidate"
    assert experiment.promoted_variant is not None
    assert experiment.promoted_variant.key == "better"


@pytest.mark.parametrize("reason", ["", "   "])
def test_halting_and_promoting_by_hand_ask_for_a_reason(reason: str) -> None:
    experiment = draft()
    start(experiment, actor=SLUICE)
    with pytest.raises(InvalidInput):
        halt_by_hand(experiment, actor=SLUICE, reason=reason)
    with pytest.raises(InvalidInput):
        promote_by_hand(experiment, actor=SLUICE, reason=reason)
    assert Experiment.objects.get(pk=experiment.pk).state == State.RUNNING


def test_every_change_leaves_an_audit_event_and_every_verdict_a_link() -> None:
    experiment = draft()
    start(experiment, actor=SLUICE)
    advance(experiment, ADVANCE, actor=SLUICE)
    halt(experiment)
    verbs = AuditEvent.objects.filter(object_type="experiment").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["create", "start", "advance", "halt"]
    entries = [(hashed_content(d), d.previous_hash, d.hash) for d in experiment.decisions.order_by("sequence")]
    assert len(entries) == 2
    assert first_broken_link(entries) is None


@pytest.mark.database
def test_only_drafts_can_be_deleted() -> None:
    experiment = draft()
    delete(experiment, actor=SLUICE)
    assert not Experiment.objects.exists()
    started = draft()
    start(started, actor=SLUICE)
    with pytest.raises(Conflict):
        delete(started, actor=SLUICE)
