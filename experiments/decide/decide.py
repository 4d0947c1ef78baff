"""The judge's last step: the first rule that has an answer decides."""

from collections.abc import Callable
from datetime import datetime

from experiments.decide.rules.harmed import halt_at_look, halt_on_harm
from experiments.decide.rules.likely_harm import hold_on_likely_harm
from experiments.decide.rules.look_due import wait_for_look
from experiments.decide.rules.patience import (
    give_up,
    wait_for_answers,
    wait_for_soak,
    wait_for_units,
    wait_while_paused,
)
from experiments.decide.rules.promotable import promote_or_end, promote_what_is_shown
from experiments.decide.rules.ramp import advance
from experiments.decide.rules.split_off import hold_on_mismatch
from experiments.decide.rules.unhealthy import hold_on_findings, hold_on_silence, hold_without_looks
from experiments.decide.types import Decision, ExperimentState, Plan, Situation
from experiments.stats.core.types import Results

Rule = Callable[[Situation], Decision | None]

RULES: tuple[Rule, ...] = (
    halt_on_harm,
    wait_while_paused,
    hold_on_mismatch,
    hold_on_findings,
    hold_on_silence,
    hold_without_looks,
    wait_for_soak,
    wait_for_answers,
    wait_for_units,
    hold_on_likely_harm,
    advance,
    promote_what_is_shown,
    wait_for_look,
    halt_at_look,
    promote_or_end,
)
"""In the order of their right to speak: harm stops an experiment whatever else is true."""


def decide(plan: Plan, state: ExperimentState, results: Results, now: datetime) -> Decision:
    """What to do with an experiment, given what was measured.

    Raises `LookupError` when no rule answers, which the last rule rules out.
    """
    situation = _situation(plan, state, results, now)
    for rule in RULES:
        decision = rule(situation)
        if decision is not None:
            return _unless_time_is_over(situation, decision)
    raise LookupError("No rule of decision answered.")


def look_is_due(plan: Plan, state: ExperimentState, results: Results, now: datetime) -> bool:
    """Whether this analysis is a look, at which promotion may be decided and alpha is spent."""
    situation = _situation(plan, state, results, now)
    waiting = (*RULES[: RULES.index(advance)], promote_what_is_shown, wait_for_look)
    return situation.on_last_stage and all(rule(situation) is None for rule in waiting)


def _situation(plan: Plan, state: ExperimentState, results: Results, now: datetime) -> Situation:
    since_start = results.sample_ratio.observed
    own = since_start if results.stage_units is None else results.stage_units
    return Situation(plan, state, results, now, stage_units=own)


def _unless_time_is_over(situation: Situation, decision: Decision) -> Decision:
    return give_up(situation, decision) or decision
