"""One idempotent step of an experiment: analyse, decide, act."""

from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from controlplane.audit.actors import SLUICE
from controlplane.problems.errors import Conflict
from experiments.actions.advance import advance
from experiments.actions.conclude import conclude
from experiments.actions.promote import promote
from experiments.decide import Decision, DecisionKind, Plan, decide, look_is_due, time_is_over
from experiments.lifecycle.append_decision import append_decision
from experiments.lifecycle.lease import Lease, leased
from experiments.loop.analyse import Measured, analyse, measure, store
from experiments.loop.brake import halt_on_harm, halt_with_record
from experiments.loop.edge_guard import heed_guard
from experiments.models import Analysis, Experiment
from experiments.models.experiment import LIVE_STATES
from experiments.plan.as_judged import pure_plan, pure_state
from routing.kill_switch.stops import open_stops
from routing.models import Hindrance
from routing.resources.refuse_candidates import DEFAULT_IS_CANDIDATE

log = structlog.get_logger(__name__)

HOLDS_AN_HOUR = 6
HOUR = timedelta(hours=1)

ACTIONS = {
    DecisionKind.ADVANCE: advance,
    DecisionKind.PROMOTE: promote,
    DecisionKind.INCONCLUSIVE: conclude,
}


def reconcile(experiment: Experiment, *, now: datetime) -> Decision | None:
    """Do what the evidence asks for, at most once.

    None when the experiment is not live, the kill switch is on for it, another worker is at it, or somebody else was
    faster.

    Killed at any point, the next call starts from the state in the database and converges: each action is one
    transaction that only succeeds from the state it was decided on, under the lease it was decided under.
    """
    if not _may_decide(experiment) or _guarded(experiment, now):
        return None
    with leased(experiment) as lease:
        if lease is None or not _may_decide(experiment):
            return None
        try:
            return _decided(experiment, lease, now)
        except Conflict as conflict:
            log.info("decision overtaken", experiment=experiment.key, detail=conflict.detail)
            return None


def _may_decide(experiment: Experiment) -> bool:
    """Whether it is live, and the kill switch is off for it."""
    return experiment.state in LIVE_STATES and open_stops().of(experiment.endpoint_id) is None


def _guarded(experiment: Experiment, now: datetime) -> bool:
    """Whether an edge ejected a candidate, and that was answered now, by this call or another.

    It needs no lease, and waits for no analysis: what is counted is on the edges' side, and answered once.
    """
    try:
        return heed_guard(experiment, at=now)
    except Conflict as conflict:
        log.info("guard overtaken", experiment=experiment.key, detail=conflict.detail)
        return True
    except Exception:
        log.exception("the guard is not heeded; the evidence still is", experiment=experiment.key)
        return False


def _held_back(experiment: Experiment, decision: Decision) -> Decision:
    """What gives a candidate more users waits while its endpoint cannot be published: they would not come."""
    hindrance = Hindrance.objects.filter(subject=f"endpoint {experiment.endpoint.key}").first()
    if hindrance is None or decision.kind not in (DecisionKind.ADVANCE, DecisionKind.PROMOTE):
        return decision
    return Decision(DecisionKind.HOLD, "not-published", f"{hindrance.detail} {hindrance.next_step}")


def _decided(experiment: Experiment, lease: Lease, now: datetime) -> Decision:
    """Measure, decide and act under a lease. Raises `Conflict` when that was lost, or somebody moved the experiment.

    Harm is halted first, from the evidence alone, so that nothing else that is looked at can be in its way.
    """
    plan = pure_plan(experiment)
    measured = measure(experiment, plan, now=now)
    halted = halt_on_harm(experiment, plan, measured, lease=lease, now=now)
    return halted or _judged(experiment, plan, measured, lease, now)


def _judged(experiment: Experiment, plan: Plan, measured: Measured, lease: Lease, now: datetime) -> Decision:
    state = pure_state(experiment, now)
    results = analyse(experiment, measured, replace(state.looks, last=time_is_over(plan, state, now)))
    decision, look = decide(plan, state, results, now), look_is_due(plan, state, results, now)
    if decision.kind is DecisionKind.HALT:
        halt_with_record(experiment, decision, measured, (results,), look=look, lease=lease, now=now)
        return decision
    analysis = store(experiment, measured, results, look=look, lease=lease, now=now)
    return _acted(experiment, _held_back(experiment, decision), analysis, lease, now)


def _acted(experiment: Experiment, decision: Decision, analysis: Analysis, lease: Lease, now: datetime) -> Decision:
    action = ACTIONS.get(decision.kind)
    if action is not None:
        try:
            action(experiment, decision, actor=SLUICE, analysis=analysis, at=now, lease=lease)
        except Conflict as conflict:
            return _held_beside_another(experiment, conflict, analysis, lease, now)
        log.info("decided", experiment=experiment.key, decision=decision.kind, reason=decision.reason)
    elif analysis.look or not _already_said(experiment, decision, now):
        _hold(experiment, decision, analysis, lease, now)
    return decision


def _held_beside_another(
    experiment: Experiment, conflict: Conflict, analysis: Analysis, lease: Lease, now: datetime
) -> Decision:
    """A promotion waits for another experiment that tries the same. Raises every other conflict again."""
    if conflict.code != DEFAULT_IS_CANDIDATE:
        raise conflict
    experiment.refresh_from_db()
    return _acted(experiment, Decision(DecisionKind.HOLD, conflict.code, conflict.problem.advice), analysis, lease, now)


def _hold(experiment: Experiment, decision: Decision, analysis: Analysis, lease: Lease, now: datetime) -> None:
    with transaction.atomic():
        lease.renew(state=experiment.state, stage_index=experiment.stage_index)
        append_decision(experiment, decision, actor=SLUICE, analysis=analysis, at=now)


def _already_said(experiment: Experiment, decision: Decision, now: datetime) -> bool:
    """Whether the last decision was to hold for the same cause: a ledger says each thing once.

    Of causes that come and go at every tick it says so many an hour.
    """
    last = experiment.decisions.order_by("-sequence").first()
    if last is None or last.kind != decision.kind:
        return False
    lately = experiment.decisions.filter(kind=decision.kind, at__range=(now - HOUR, now + HOUR), analysis__look=False)
    return last.code == decision.code or lately.count() >= HOLDS_AN_HOUR
