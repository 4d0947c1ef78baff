"""Promote what is shown to be safe and better; otherwise say that the data cannot tell."""

from experiments.decide.looks import is_open
from experiments.decide.types import Decision, DecisionKind, Situation
from experiments.decide.wording import compared, information_in_words, listed
from experiments.stats.types import MetricResult, Role, Verdict


def promote_or_end(situation: Situation) -> Decision:
    """A look: every guardrail non-inferior and every goal met promotes; what can still be shown waits for the next."""
    passing = [candidate for candidate in situation.plan.candidates if not _unmet(situation, candidate)]
    if not passing:
        return _not_shown(situation)
    best = max(passing, key=lambda candidate: _goal_gain(situation, candidate))
    goals = [compared(result, situation.plan) for result in _results(situation, best, Role.GOAL)]
    guardrails = len(_results(situation, best, Role.GUARDRAIL))
    safe = f"{guardrails} of {guardrails} guardrails are within their margins" if guardrails else "no guardrail was set"
    reason = f"{listed(goals)}; {safe}." if goals else f"{best} is no worse than {situation.plan.control}: {safe}."
    return Decision(DecisionKind.PROMOTE, "goals-met", reason, variant=best)


def _not_shown(situation: Situation) -> Decision:
    hopeful = [candidate for candidate in situation.plan.candidates if _may_still_pass(situation, candidate)]
    candidate = min(hopeful or situation.plan.candidates, key=lambda key: len(_unmet(situation, key)))
    if hopeful:
        number = 1 + max((len(looks) for looks in situation.state.looks.taken.values()), default=0)
        reason = f"Look {number}: {_open_questions(situation, candidate)} yet; {information_in_words(situation)}."
        return Decision(DecisionKind.HOLD, f"look-{number}", reason)
    return Decision(DecisionKind.INCONCLUSIVE, "not-shown", f"{_open_questions(situation, candidate)}.")


def _open_questions(situation: Situation, candidate: str) -> str:
    questions = [
        f"{compared(result, situation.plan)}, which does not show that it is "
        + ("better" if result.role is Role.GOAL else "within its margin")
        for result in _unmet(situation, candidate)
    ]
    return listed(questions)


def _may_still_pass(situation: Situation, candidate: str) -> bool:
    """Whether nothing is shown to be missing, and all that is not shown has information to come."""
    unmet = _unmet(situation, candidate)
    return all(result.verdict is Verdict.INSUFFICIENT and is_open(situation, result) for result in unmet)


def _results(situation: Situation, candidate: str, role: Role) -> list[MetricResult]:
    return [r for r in situation.results.metrics if r.variant == candidate and r.role is role]


def _unmet(situation: Situation, candidate: str) -> list[MetricResult]:
    judged = _results(situation, candidate, Role.GOAL) + _results(situation, candidate, Role.GUARDRAIL)
    return [result for result in judged if result.verdict is not Verdict.PASS]


def _goal_gain(situation: Situation, candidate: str) -> float:
    """Smallest p-value first: the candidate with the clearest goals."""
    return -sum(result.p_value or 0.0 for result in _results(situation, candidate, Role.GOAL))
