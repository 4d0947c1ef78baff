"""One idempotent step of an experiment: analyse, decide, act."""

from datetime import datetime

import structlog

from controlplane.actors import SLUICE
from controlplane.errors import Conflict
from experiments.actions.advance import advance
from experiments.actions.analyse import analyse
from experiments.actions.append_decision import append_decision
from experiments.actions.conclude import conclude
from experiments.actions.halt import halt
from experiments.actions.heed_guard import heed_guard
from experiments.actions.promote import promote
from experiments.decide import Decision, DecisionKind, decide
from experiments.models import Analysis, Experiment
from experiments.models.experiment import LIVE_STATES
from experiments.plans import pure_plan, pure_state
from routing.stops import open_stops

log = structlog.get_logger(__name__)

ACTIONS = {
    DecisionKind.ADVANCE: advance,
    DecisionKind.PROMOTE: promote,
    DecisionKind.HALT: halt,
    DecisionKind.INCONCLUSIVE: conclude,
}


def reconcile(experiment: Experiment, *, now: datetime) -> Decision | None:
    """Do what the evidence asks for, at most once.

    None when the experiment is not live, the kill switch is on for it, or somebody else was faster.

    Killed at any point, the next call starts from the state in the database and converges: each action is one
    transaction that only succeeds from the state it was decided on.
    """
    if experiment.state not in LIVE_STATES or open_stops().of(experiment.endpoint_id):
        return None
    if _guarded(experiment):
        return None
    plan = pure_plan(experiment)
    state = pure_state(experiment)
    analysis, results = analyse(experiment, plan, state, now=now)
    decision = decide(plan, state, results, now)
    try:
        _act(experiment, decision, analysis)
    except Conflict as conflict:
        log.info("decision overtaken", experiment=experiment.key, decision=decision.kind, detail=conflict.detail)
        return None
    return decision


def _guarded(experiment: Experiment) -> bool:
    """Whether an edge took a candidate out, and that was answered now, by this call or another."""
    try:
        return heed_guard(experiment)
    except Conflict as conflict:
        log.info("guard overtaken", experiment=experiment.key, detail=conflict.detail)
        return True


def _act(experiment: Experiment, decision: Decision, analysis: Analysis) -> None:
    action = ACTIONS.get(decision.kind)
    if action is not None:
        action(experiment, decision, actor=SLUICE, analysis=analysis)
        log.info("decided", experiment=experiment.key, decision=decision.kind, reason=decision.reason)
    elif not _already_said(experiment, decision):
        append_decision(experiment, decision, actor=SLUICE, analysis=analysis)


def _already_said(experiment: Experiment, decision: Decision) -> bool:
    """Whether the last decision was to hold for the same cause: a ledger says each thing once."""
    last = experiment.decisions.order_by("-sequence").first()
    return last is not None and last.kind == decision.kind and last.code == decision.code
