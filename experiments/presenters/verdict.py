"""The first thing on an experiment's page: one sentence with its numbers, and what to do next."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from controlplane.web.shares import percent
from experiments.decide.rules.unhealthy import SILENCE
from experiments.decide.said import compared, duration, moment
from experiments.lifecycle.promoted import next_after, outcome
from experiments.models import State
from experiments.models.experiment import ENDED_STATES, LIVE_STATES
from experiments.presenters.full_stops import ended
from experiments.presenters.numbers import about
from experiments.presenters.page_reads import Dossier
from experiments.presenters.timeline import coverage_of, remaining
from experiments.stats.core.types import MetricResult, Results, Role, Verdict
from routing.resources.defaults import in_words

NEXT_WHILE_STOPPED = "Turn the kill switch off when it is safe, or halt the experiment. Nothing happens before."

NEXT_WHILE_UNJUDGED = (
    "Find the cause in the worker's log, or halt the experiment: halting by hand works. The results below are of "
    "that time."
)
NEXT_WHILE_UNREADABLE = "Bring all parts of Sluice to the release that wrote it, or wait for the next analysis."
LATE_TICKS = 10
LATE_AT_LEAST = timedelta(minutes=1)

TONES = {
    State.DRAFT: "",
    State.RUNNING: "calm",
    State.PAUSED: "wait",
    State.PROMOTED: "good",
    State.HALTED: "bad",
    State.INCONCLUSIVE: "wait",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """What is the case and why, in one sentence with numbers; then the next step. `tone` colours both."""

    tone: str
    sentence: str
    next_step: str


def summarise(dossier: Dossier, now: datetime) -> Summary:
    """The verdict on an experiment in its present state."""
    summary = _SUMMARIES[State(dossier.experiment.state)](dossier, now)
    if dossier.stop is not None:
        return replace(summary, next_step=NEXT_WHILE_STOPPED)
    return _unjudged(dossier, now) or summary


def announce(dossier: Dossier, now: datetime) -> str:
    """What a screen reader says when it changes: an ending in full, and of a running ramp only each new stage."""
    experiment = dossier.experiment
    if experiment.state in ENDED_STATES:
        return summarise(dossier, now).sentence
    return f"{experiment.get_state_display()}. {_place(dossier)}."


def _unjudged(dossier: Dossier, now: datetime) -> Summary | None:
    """What to say in the place of old results, where analyses that were due did not come."""
    experiment, analysis = dossier.experiment, dossier.analysis
    since = analysis.at if analysis else experiment.started_at
    tick = timedelta(seconds=experiment.plan.tick_seconds)
    if experiment.state not in LIVE_STATES or since is None:
        return None
    # While the kill switch was on no analysis was due.
    moved_on = max([since, *(ended for _, ended in dossier.still if ended)])
    if now - moved_on <= max(LATE_TICKS * tick, LATE_AT_LEAST):
        return None
    sentence = (
        f"{_place(dossier)} was not judged since {moment(since)}, though that is due each {duration(tick)}: nothing "
        "is decided, and nothing halts by itself."
    )
    return Summary("wait", sentence, NEXT_WHILE_UNJUDGED)


def lead(results: Results) -> MetricResult:
    """The metric that matters most: what was harmed first, then the goals, then the guardrails."""
    order = {Role.GOAL: 1, Role.GUARDRAIL: 2, Role.OBSERVED: 3}
    return min(results.metrics, key=lambda result: 0 if result.harmed or result.harmed_at_look else order[result.role])


def _draft(dossier: Dossier, _: datetime) -> Summary:
    experiment = dossier.experiment
    sentence = f"Not started: {in_words(experiment.endpoint)}."
    next_step = (
        f"Check the plan, then start it: stage 1 puts {coverage_of(dossier, 0)} of each variant's users on the test."
    )
    return Summary("", sentence, next_step)


def _running(dossier: Dossier, now: datetime) -> Summary:
    place = _place(dossier)
    if dossier.results is None:
        if dossier.analysis is not None:
            return Summary("wait", f"{place}: this release cannot read what was found.", NEXT_WHILE_UNREADABLE)
        return Summary("calm", f"{place} has begun, and nothing is measured yet.", "Nothing to do: wait for users.")
    if dossier.results.sample_ratio.mismatch:
        return _mismatch(dossier, dossier.results)
    silence = [finding for finding in dossier.results.findings if finding.code == SILENCE]
    if silence:
        return Summary("wait", f"{place} waits: {silence[0].detail}", silence[0].next_step)
    return Summary("calm", f"{place}: {_so_far(dossier, dossier.results)}", _next_of_running(dossier, now))


def _mismatch(dossier: Dossier, results: Results) -> Summary:
    observed = results.sample_ratio.observed
    total = sum(observed.values()) or 1
    shares = " and ".join(
        f"{variant} has {percent(observed.get(variant, 0) / total)} instead of {percent(expected)} of the users"
        for variant, expected in results.sample_ratio.expected.items()
    )
    sentence = f"{_place(dossier)} cannot be judged: {shares}."
    next_step = "Find out why users are missing on one side; no result can be trusted before. Halt it if in doubt."
    return Summary("wait", sentence, next_step)


def _paused(dossier: Dossier, _: datetime) -> Summary:
    reason = dossier.experiment.state_reason
    why = f" ({reason})" if reason else ""
    found = f": {_so_far(dossier, dossier.results)}" if dossier.results else "."
    sentence = f"Paused{why} on {_place(dossier).lower()}{found}"
    return Summary("wait", sentence, "Resume it or halt it. Traffic stays as it is, and guardrails are still watched.")


def _promoted(dossier: Dossier, _: datetime) -> Summary:
    experiment = dossier.experiment
    variant = experiment.promoted_variant
    assert variant is not None  # noqa: S101 - a constraint of the database
    control = next(variant for variant in dossier.variants if variant.is_control)
    sentence = f"Promoted: {outcome(experiment, variant)}. {ended(experiment.state_reason)}"
    return Summary("good", sentence, next_after(experiment, variant, control))


def _halted(dossier: Dossier, _: datetime) -> Summary:
    back = in_words(dossier.experiment.endpoint)
    sentence = f"Halted on {_place(dossier).lower()}: {ended(dossier.experiment.state_reason)}"
    next_step = (
        f"{back[0].upper()}{back[1:]} again. Find the cause in the results below, and try a fixed version as a new "
        "experiment."
    )
    return Summary("bad", sentence, next_step)


def _inconclusive(dossier: Dossier, _: datetime) -> Summary:
    sentence = f"Inconclusive: {ended(dossier.experiment.state_reason)}"
    next_step = (
        "You decide: promote by hand with a reason, or plan a new experiment with more users. Until then "
        f"{in_words(dossier.experiment.endpoint)}."
    )
    return Summary("wait", sentence, next_step)


_SUMMARIES: dict[State, Callable[[Dossier, datetime], Summary]] = {
    State.DRAFT: _draft,
    State.RUNNING: _running,
    State.PAUSED: _paused,
    State.PROMOTED: _promoted,
    State.HALTED: _halted,
    State.INCONCLUSIVE: _inconclusive,
}


def _place(dossier: Dossier) -> str:
    index = dossier.experiment.stage_index
    return f"Stage {index + 1} of {len(dossier.stages)} ({coverage_of(dossier, index)})"


def _so_far(dossier: Dossier, results: Results) -> str:
    """The metric that matters most, and how many guardrails hold."""
    guardrails = [result for result in results.metrics if result.role is Role.GUARDRAIL]
    passed = sum(result.verdict is Verdict.PASS for result in guardrails)
    failed = sum(result.verdict is Verdict.FAIL for result in guardrails)
    counts = f"{passed} of {len(guardrails)} guardrails are shown to be within their margins"
    harm = f", {failed} seems worse than its margin" if failed else ""
    return f"{compared(lead(results), dossier.plan)}; {counts}{harm}."


def _next_of_running(dossier: Dossier, now: datetime) -> str:
    left = remaining(dossier, now)
    index = dossier.experiment.stage_index
    if index + 1 < len(dossier.stages):
        then = f"coverage goes to {coverage_of(dossier, index + 1)}"
    else:
        then = "promotion is decided"
    if left:
        return f"Nothing to do: {then} in about {about(left)} unless harm is shown."
    return f"Nothing to do: {then} at the next analysis{_users_awaited(dossier)}."


def _users_awaited(dossier: Dossier) -> str:
    """Empty once each variant has as many users of this stage as the plan asks for."""
    fewest = dossier.plan.minimum_units
    seen = (dossier.results and dossier.results.stage_units) or {}
    if all(seen.get(variant.key, 0) >= fewest for variant in dossier.variants):
        return ""
    return f", once each variant has {fewest:,} users of this stage"
