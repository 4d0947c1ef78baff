"""What slow answers do to decisions: a halt says what was seen, and nothing is promoted while they may be too many."""

from dataclasses import replace

from experiments.decide import DecisionKind, Label, decide
from experiments.stats.core.types import HarmSince, Results
from tests.experiments.decide.situations import PLAN, after, results, state

SLOW = replace(PLAN.metrics[0], key="latency over 100000 ms", margin=0.005)
LABEL = Label("The share of answers that took more than 100 s (80 s for the control)", "%")
GUARDED = replace(PLAN, tails=(SLOW,), labels={**PLAN.labels, SLOW.key: LABEL})
HARM = HarmSince(None, SLOW.key, "better", 0.0, 0.021, 790, 812)
SEEN = (
    "The share of answers that took more than 100 s (80 s for the control) is 2.1 % for better against 0 % for "
    "control, from 812 and 790 users"
)


def test_a_halt_says_what_share_of_answers_was_slow() -> None:
    found = results()
    stopped = replace(found, halt=replace(found.halt, reached=True, tails=(HARM,)))
    decision = decide(GUARDED, state(), stopped, after(1))
    assert (decision.kind, decision.variant) == (DecisionKind.HALT, "better")
    assert decision.reason == f"{SEEN}, worse than the accepted margin of 0.5 percentage points."


def test_a_halt_by_the_mean_says_both() -> None:
    found = results(harmed=True)
    decision = decide(GUARDED, state(), replace(found, halt=replace(found.halt, tails=(HARM,))), after(1))
    assert decision.reason.startswith("Error rate is ")
    assert decision.reason.endswith(f". {SEEN}, worse than the accepted margin of 0.5 percentage points.")


def _at_the_end(found: Results, seconds: float = 400) -> tuple[DecisionKind, str]:
    decision = decide(GUARDED, state(stage=2), found, after(seconds))
    return decision.kind, decision.reason


def test_nothing_is_promoted_while_too_many_answers_seem_slow() -> None:
    assert _at_the_end(results())[0] is DecisionKind.PROMOTE
    beyond = replace(results(), beyond=(HARM,))
    kind, reason = _at_the_end(beyond)
    assert kind is DecisionKind.HOLD
    assert f"{SEEN}, more than is accepted so far" in reason
    assert _at_the_end(beyond, seconds=3000)[0] is DecisionKind.INCONCLUSIVE
