"""Promote what is shown to be safe and better; otherwise say that the data cannot tell."""

from collections.abc import Sequence

from experiments.decide.rules.look_due import is_open
from experiments.decide.said import compared, compared_since, information_in_words, listed
from experiments.decide.types import Decision, DecisionKind, Situation
from experiments.stats.core.types import HarmSince, MetricResult, Role, Verdict


def promote_or_end(situation: Situation) -> Decision:
    """A look: every guardrail non-inferior and every goal met promotes; what can still be shown waits for the next."""
    return _promote(situation, situation.plan.candidates) or _not_shown(situation)


def promote_what_is_shown(situation: Situation) -> Decision | None:
    """Promote between looks what looks have shown all of: its promotion was held back, and asks for no further look."""
    shown = [candidate for candidate in situation.plan.candidates if _was_shown(situation, candidate)]
    return _promote(situation, shown)


def _promote(situation: Situation, candidates: Sequence[str]) -> Decision | None:
    passing = [each for each in candidates if not _unmet(situation, each) and not _beyond(situation, each)]
    if not passing:
        return None
    best = max(passing, key=lambda candidate: _goal_gain(situation, candidate))
    goals = [compared(result, situation.plan) for result in _results(situation, best, Role.GOAL)]
    guardrails = len(_results(situation, best, Role.GUARDRAIL))
    safe = f"{guardrails} of {guardrails} guardrails are within their margins" if guardrails else "no guardrail was set"
    reason = f"{listed(goals)}; {safe}." if goals else f"{best} is no worse than {situation.plan.control}: {safe}."
    return Decision(DecisionKind.PROMOTE, "goals-met", reason, variant=best)


def _not_shown(situation: Situation) -> Decision:
    undecided = [candidate for candidate in situation.plan.candidates if _is_undecided(situation, candidate)]
    candidate = min(undecided or situation.plan.candidates, key=lambda key: len(_unmet(situation, key)))
    unmet = _unmet(situation, candidate)
    told = [f"{compared(result, situation.plan)}, which {answer(result)}" for result in unmet]
    told += [f"{compared_since(harm, situation.plan)}, more than is accepted" for harm in _beyond(situation, candidate)]
    answers = listed(told)
    if undecided:
        number = situation.state.looks.number + 1
        reason = f"Look {number}: {answers} so far; {information_in_words(situation)}."
        return Decision(DecisionKind.HOLD, f"look-{number}", reason)
    return Decision(DecisionKind.INCONCLUSIVE, "harm-shown" if _is_harmed(unmet) else "not-shown", f"{answers}.")


def answer(result: MetricResult) -> str:
    """What a look says of a metric that it did not show."""
    if result.verdict is Verdict.FAIL:
        return "shows that it is worse" if result.role is Role.GOAL else "shows that it is worse than its margin"
    return f"does not show that it is {'better' if result.role is Role.GOAL else 'within its margin'}"


def _is_harmed(unmet: Sequence[MetricResult]) -> bool:
    return any(result.role is Role.GUARDRAIL and result.verdict is Verdict.FAIL for result in unmet)


def _is_undecided(situation: Situation, candidate: str) -> bool:
    """Whether all that is not shown has information to come, and no goal is shown to be missed.

    A guardrail that fails has a chance no more to pass, but is watched on: what alpha shows is not sure enough to halt.
    """
    unmet = _unmet(situation, candidate)
    return all(is_open(situation, result) and not _is_missed(result) for result in unmet)


def _is_missed(result: MetricResult) -> bool:
    return result.role is Role.GOAL and result.verdict is Verdict.FAIL


def _was_shown(situation: Situation, candidate: str) -> bool:
    names = {(result.metric, candidate) for result in situation.decisive if result.variant == candidate}
    return bool(names) and names <= situation.state.looks.shown


def _results(situation: Situation, candidate: str, role: Role) -> list[MetricResult]:
    return [r for r in situation.results.metrics if r.variant == candidate and r.role is role]


def _unmet(situation: Situation, candidate: str) -> list[MetricResult]:
    judged = _results(situation, candidate, Role.GOAL) + _results(situation, candidate, Role.GUARDRAIL)
    return [result for result in judged if result.verdict is not Verdict.PASS]


def _beyond(situation: Situation, candidate: str) -> list[HarmSince]:
    """The share of values in a tail that is furthest beyond its margin: what is rare and huge is no mean's to pass."""
    return [harm for harm in situation.results.beyond if harm.variant == candidate][:1]


def _goal_gain(situation: Situation, candidate: str) -> float:
    """Smallest p-value first: the candidate with the clearest goals."""
    return -sum(result.p_value or 0.0 for result in _results(situation, candidate, Role.GOAL))
