"""One worker at a time analyses an experiment, and what it writes once it lost its lease does not count."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from controlplane.audit.actors import SLUICE
from controlplane.problems.errors import Conflict
from experiments.actions.advance import advance
from experiments.actions.conclude import conclude
from experiments.actions.halt import halt, halt_by_hand
from experiments.actions.pause import pause
from experiments.actions.promote import promote, promote_by_hand
from experiments.actions.start import start
from experiments.decide import Decision as PureDecision
from experiments.decide import DecisionKind
from experiments.evidence import collect_evidence
from experiments.lifecycle import lease as leases
from experiments.lifecycle.lease import LEASE, Lease, keep, leased
from experiments.loop.claim_due import claim_due
from experiments.loop.reconcile import reconcile
from experiments.models import Analysis, Decision, Experiment, State
from experiments.plan.as_judged import pure_state
from routing.kill_switch.stop_experiments import stop_experiments
from routing.models import Split
from tests.experiments.loop.evidence import fresh, later, measure
from tests.factories.drafts import draft

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def lake(own_lake: str) -> str:
    return own_lake


@pytest.fixture
def running(lake: str) -> Experiment:
    experiment = draft()
    start(experiment, actor=SLUICE)
    measure(lake, experiment, control_errors=3, candidate_errors=2)
    return experiment


@contextmanager
def meanwhile(act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What happens while the first analysis from now on is at its longest: its evidence is read, nothing is stored."""
    done: list[bool] = []

    def slowly(*arguments: Any, **options: Any) -> Any:
        collected = collect_evidence(*arguments, **options)
        if not done:
            done.append(True)
            act()
        return collected

    with monkeypatch.context() as patch:
        patch.setattr("experiments.loop.analyse.collect_evidence", slowly)
        yield
    assert done


def lapse() -> None:
    """As if the worker had stood still for longer than its lease."""
    Experiment.objects.update(lease_until=Now() - timedelta(seconds=1))


def test_two_workers_at_once_make_one_analysis(running: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[PureDecision | None] = []
    with meanwhile(lambda: seen.append(reconcile(fresh(running), now=later(running, 6))), monkeypatch):
        assert reconcile(running, now=later(running, 5)) is not None
    assert seen == [None]
    assert Analysis.objects.count() == Decision.objects.count() == 1


def test_two_workers_at_once_take_one_look(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 users cannot say: the look waits for more. Taken twice at once it would have spent alpha twice."""
    experiment = draft()
    start(experiment, actor=SLUICE)
    measure(lake, experiment, control_errors=6, candidate_errors=9)
    reconcile(experiment, now=later(experiment, 60))
    on_last = fresh(experiment)
    with meanwhile(lambda: reconcile(fresh(on_last), now=later(on_last, 300)), monkeypatch):
        reconcile(on_last, now=later(on_last, 300))
    assert Analysis.objects.filter(look=True).count() == 1
    looks = pure_state(fresh(on_last), later(on_last, 310)).looks
    assert len(looks.taken["error-rate", "better"]) == 1


def test_who_outlives_its_lease_stores_nothing_and_acts_on_nothing(
    lake: str, running: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would have advanced; the one that took over did, and its decision stands alone."""

    def taken_over() -> None:
        lapse()
        reconcile(fresh(running), now=later(running, 61))

    with meanwhile(taken_over, monkeypatch):
        assert reconcile(running, now=later(running, 60)) is None
    after = fresh(running)
    assert (after.stage_index, after.stage_entered_at) == (1, later(running, 61))
    assert list(Decision.objects.values_list("kind", flat=True)) == ["advance"]
    assert Analysis.objects.count() == 1
    assert reconcile(after, now=later(running, 62)) is not None


def test_a_lease_that_lapsed_counts_for_nothing_also_when_nobody_took_over(
    running: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with meanwhile(lapse, monkeypatch):
        assert reconcile(running, now=later(running, 60)) is None
    assert not Analysis.objects.exists()
    assert not Decision.objects.exists()
    assert reconcile(fresh(running), now=later(running, 61)) is not None
    assert fresh(running).stage_index == 1


@pytest.mark.parametrize("kind", [DecisionKind.ADVANCE, DecisionKind.HALT, DecisionKind.INCONCLUSIVE])
def test_no_verb_acts_under_a_lease_that_another_took_over(running: Experiment, kind: DecisionKind) -> None:
    verbs: dict[DecisionKind, Callable[..., None]] = {
        DecisionKind.ADVANCE: advance,
        DecisionKind.HALT: halt,
        DecisionKind.INCONCLUSIVE: conclude,
    }
    decision = PureDecision(kind, "a-code", "A reason.")
    with leased(running) as old:
        lapse()
        with leased(running) as new:
            assert (old, new) == (Lease(running.pk, 1), Lease(running.pk, 2))
            with pytest.raises(Conflict):
                verbs[kind](running, decision, actor=SLUICE, lease=old)
            assert fresh(running).state == State.RUNNING
            assert not Decision.objects.exists()
            verbs[kind](running, decision, actor=SLUICE, lease=new)
    assert Decision.objects.get().kind == kind


def test_no_promotion_under_a_lost_lease(running: Experiment) -> None:
    decision = PureDecision(DecisionKind.PROMOTE, "goals-met", "Better.", variant="better")
    with leased(running) as lease:
        lapse()
        with pytest.raises(Conflict):
            promote(running, decision, actor=SLUICE, lease=lease)
    assert fresh(running).endpoint.backend.key == "stable"


HUMAN: dict[str, tuple[Callable[[Experiment], None], State]] = {
    "halt": (lambda e: halt_by_hand(e, actor=SLUICE, reason="looks wrong"), State.HALTED),
    "pause": (lambda e: pause(e, actor=SLUICE), State.PAUSED),
    "promote": (lambda e: promote_by_hand(e, actor=SLUICE, reason="looks right"), State.PROMOTED),
}


@pytest.mark.parametrize("seconds", [5, 60])
@pytest.mark.parametrize("verb", list(HUMAN))
def test_a_person_waits_for_no_lease_and_comes_before_what_was_being_decided(
    running: Experiment, monkeypatch: pytest.MonkeyPatch, verb: str, seconds: int
) -> None:
    """After 5 s the worker would hold, after 60 it would advance."""
    act, state = HUMAN[verb]
    with meanwhile(lambda: act(Experiment.objects.get()), monkeypatch):
        assert reconcile(running, now=later(running, seconds)) is None
    after = fresh(running)
    assert (after.state, after.stage_index) == (state, 0)
    assert not Decision.objects.filter(kind__in=("advance", "hold")).exists()


def test_the_kill_switch_comes_before_what_was_being_decided(
    running: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with meanwhile(lambda: stop_experiments(None, actor=SLUICE, reason="looks wrong"), monkeypatch):
        assert reconcile(running, now=later(running, 60)) is None
    assert fresh(running).stage_index == 0
    assert Split.objects.get().coverage == 1_000


def test_a_worker_that_died_leaves_a_lease_that_lapses(running: Experiment) -> None:
    Experiment.objects.update(lease_token=7, lease_until=Now() + LEASE)
    assert claim_due(timezone.now()) == []
    assert reconcile(fresh(running), now=later(running, 5)) is None
    lapse()
    assert claim_due(timezone.now()) == [running.pk]
    assert reconcile(fresh(running), now=later(running, 5)) is not None
    assert (fresh(running).lease_token, fresh(running).lease_until) == (8, None)


def test_a_lease_from_before_the_clock_was_set_back_keeps_nobody_off(running: Experiment) -> None:
    Experiment.objects.update(lease_token=7, lease_until=Now() + timedelta(hours=1))
    assert claim_due(timezone.now()) == [running.pk]
    assert reconcile(fresh(running), now=later(running, 5)) is not None


def test_an_experiment_that_was_due_before_the_clock_was_set_back_is_due(running: Experiment) -> None:
    """Else nobody would look at it until the clock is where it was, and harm would go on for as long."""
    now = timezone.now()
    assert claim_due(now) == [running.pk]
    assert claim_due(now - timedelta(hours=1)) == [running.pk]
    assert claim_due(now - timedelta(hours=1)) == []


def test_whatever_ends_an_analysis_the_lease_is_given_back(
    running: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise MemoryError

    with pytest.raises(MemoryError), meanwhile(fail, monkeypatch):
        reconcile(running, now=later(running, 5))
    assert fresh(running).lease_until is None


def test_a_look_that_was_lost_before_anything_was_decided_spends_nothing(
    running: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between storing the analysis and acting on it: the next one is a look again, and promotes."""
    reconcile(running, now=later(running, 60))
    on_last = fresh(running)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("experiments.lifecycle.end.move", die)
        with pytest.raises(KeyboardInterrupt):
            reconcile(on_last, now=later(on_last, 300))
    assert Analysis.objects.filter(look=True).count() == 1
    assert pure_state(fresh(on_last), later(on_last, 301)).looks.taken == {}
    reconcile(fresh(on_last), now=later(on_last, 301))
    assert fresh(on_last).state == State.PROMOTED


class AfterSome(Event):
    """Work that is done when it was asked about so often."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._left = times

    def wait(self, timeout: float | None = None) -> bool:
        """Do not wait."""
        self._left -= 1
        return self._left < 0


def test_a_slow_analysis_keeps_its_lease(running: Experiment) -> None:
    with leased(running) as lease:
        assert lease is not None
        Experiment.objects.update(lease_until=Now() + timedelta(seconds=2))
        almost_over = fresh(running).lease_until
        keep(lease, AfterSome(times=1))
        renewed = fresh(running).lease_until
        assert almost_over is not None
        assert renewed is not None
        assert renewed - almost_over > timedelta(seconds=20)
        lease.renew()


def test_a_lease_that_was_lost_is_not_taken_back(running: Experiment) -> None:
    """A worker that stood still wakes up: what renews its lease finds that it has lapsed, and leaves it so."""
    with leased(running) as lease:
        assert lease is not None
        lapse()
        keep(lease, AfterSome(times=3))
        with pytest.raises(Conflict):
            lease.renew()
        assert unleased_now(running)


def test_who_hangs_does_not_keep_a_lease_for_ever(running: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "MOST_RENEWALS", 3)
    with leased(running) as lease:
        assert lease is not None
        keep(lease, AfterSome(times=10**9))


def unleased_now(experiment: Experiment) -> bool:
    return Experiment.objects.filter(leases.unleased(), pk=experiment.pk).exists()
