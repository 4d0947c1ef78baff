"""Outcomes that come later in one arm than in the other: what has not come yet looks as if it never would."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from controlplane.problems.problem import Problem
from experiments.stats.core.errors import StatisticsError
from experiments.stats.core.types import Evidence, Finding, Results, Severity, UnitSums, Verdict
from experiments.stats.health.delays import FEWEST
from experiments.stats.health.findings import ALPHA, not_checked
from experiments.stats.health.missing import OutcomeGap, missing_findings, outcome_gaps

Cell = tuple[str, str]

SPREAD = 0.1
"""Differences of mean scores, or of shares in time, that the mixture looks for; fixed, or it is no martingale."""

TOLERANCE = 0.1
"""Difference of mean scores that matters: an outcome of one arm comes after one of the other in 60 of 100 pairs.

A model that answers a little slower is rated a little later, which the settling time allows for in both arms.
"""

TOLERANCE_IN_TIME = 0.01
"""The same of shares of outcomes that come in a stated time."""

STILL = 0.01
"""Two-sided level at which the newest outcomes must differ too: a labeller that was fixed decides again."""

FEWEST_USERS = 30.0
"""Users with an outcome in each arm from which on mean scores, which lie between 0 and 1, are about normal."""

MISSED = 12.0
"""Evidence that an arm with hardly any outcomes lacks some, as -log of a bound on the chance of so few.

Half of it, e^-6, would do for independent outcomes at one look; the rest is for users whose outcomes come together.
"""

SILENT = 20.0
"""Outcomes that must have been expected since the last one, beside the log of how many there were, to call it so.

With independent outcomes that happens with a chance of e^-20 in all gaps between them together; the rest is for users
whose outcomes come together.
"""


@dataclass(frozen=True, slots=True)
class Silence:
    """An arm's requests until the newest that has an outcome, and those after it that should have theirs by now."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class OutcomeTiming:
    """When the outcomes come that a metric needs.

    `settling` is the time in seconds after which a request counts, None while it cannot be told; `stated` says that the
    metric states it. By outcome's name and variant there are the number of outcomes and the silences; by variant the
    sums over units of what compares delays, over the requests that count (`delays`) and the newest of them (`lately`):
    Y the scores of outcomes, 0 to 1, D their number. `answers` has sums with Y the answered requests that have all
    outcomes and D all answered ones, where the metric is over outcomes alone, and is empty otherwise.
    """

    settling: float | None
    stated: bool
    outcomes: Mapping[str, Mapping[str, int]]
    delays: Mapping[str, UnitSums]
    lately: Mapping[str, UnitSums]
    silences: Mapping[str, Mapping[str, Silence]] = field(default_factory=dict)
    answers: Mapping[str, UnitSums] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The outcomes by name."""
        return " and ".join(self.outcomes)


@dataclass(frozen=True, slots=True)
class LateOutcomes:
    """The (metric, candidate) pairs that decide nothing for now, each with the reason, and what was found."""

    reasons: Mapping[Cell, str]
    found: tuple[Finding, ...] = ()

    def findings(self) -> tuple[Finding, ...]:
        """What blocks promotion until it is over; other metrics and the guard still halt."""
        return self.found

    def without(self, evidence: Evidence) -> Evidence:
        """The evidence without these pairs: neither their margin nor their harm can be shown."""
        return replace(evidence, sums={cell: sums for cell, sums in evidence.sums.items() if cell not in self.reasons})

    def noted(self, results: Results) -> Results:
        """The results with a note that says why these pairs say nothing."""
        return replace(
            results,
            metrics=tuple(
                replace(result, verdict=Verdict.INSUFFICIENT, note=reason)
                if (reason := self.reasons.get((result.metric, result.variant)))
                else result
                for result in results.metrics
            ),
        )


def late_outcomes(
    timings: Mapping[str, OutcomeTiming], requests: Mapping[str, int], control: str, *, alpha: float = ALPHA
) -> LateOutcomes:
    """Compare when outcomes come in each candidate and in the control, for every metric that needs some.

    `timings` is by metric, `requests` by variant. Delays differ when the e-value of `gap_log_e` on their scores reaches
    pairs / alpha (Bonferroni), at any look, by more than the tolerance, and the newest outcomes differ still. Assumes
    independent units.

    >>> fast, slow = UnitSums(500, 125, 500, 40, 500, 125), UnitSums(500, 375, 500, 290, 500, 375)
    >>> sums = {"control": fast, "new": slow}
    >>> timing = OutcomeTiming(60.0, False, {"label": {"control": 500, "new": 500}}, sums, sums)
    >>> [found.code for found in late_outcomes({"accuracy": timing}, {}, "control").findings()]
    ['late-outcomes']
    """
    pairs = max(1, sum(len(timing.delays) - 1 for timing in timings.values()))
    reasons: dict[Cell, str] = {}
    found: dict[tuple[str, str, str], Finding] = {}
    for metric, timing in timings.items():
        try:
            problems = list(_problems(timing, requests, control, alpha / pairs))
        except StatisticsError as error:
            problems = [(None, "", not_checked(f"When {timing.words} comes", error.detail, error.next_step))]
        for variant, reason, finding in problems:
            if variant is not None:
                reasons.setdefault((metric, variant), reason)
            if finding is not None:
                found.setdefault((timing.words, finding.code, finding.subject), finding)
    return LateOutcomes(reasons, tuple(found.values()))


Doubt = tuple[str | None, str, Finding | None]
"""The candidate that it sets aside, if it does, why, and what is to be told of it, if anything."""


def _problems(timing: OutcomeTiming, requests: Mapping[str, int], control: str, alpha: float) -> Iterator[Doubt]:
    candidates = [variant for variant in requests or timing.delays if variant != control]
    if not timing.stated:
        for variant in candidates:
            yield from _unknown(timing, requests, control, variant)
    yield from _silent(timing, candidates, control)
    yield from _differing(timing, control, alpha)
    if timing.answers and control in timing.answers:
        for finding in missing_findings(timing.answers, control, spread=SPREAD, alpha=alpha):
            yield finding.subject, finding.detail, finding


def _unknown(timing: OutcomeTiming, requests: Mapping[str, int], control: str, variant: str) -> Iterator[Doubt]:
    """An arm with too few outcomes beside one that has them, and outcomes that come as late as one can see."""
    for name, counts in timing.outcomes.items():
        few, many = sorted((variant, control), key=lambda arm: counts.get(arm, 0))
        if counts.get(few, 0) >= FEWEST_USERS or counts.get(many, 0) < FEWEST:
            continue
        share = requests.get(few, 0) / max(requests.get(few, 0) + requests.get(many, 0), 1)
        evidence = _lack(counts.get(few, 0), counts[many], share)
        there = f"{counts.get(few, 0)} {name} of {few} have come so far, {counts[many]} of {many}"
        is_unknown = counts.get(few, 0) < FEWEST
        reason = f"{there}: whether they are late is not known yet."
        yield variant if is_unknown else None, reason, _absent(there, few, evidence)
    if timing.settling is None:
        yield variant, f"How late outcomes {timing.words} come is not known yet; it waits for them.", None


def _lack(few: int, many: int, share: float) -> float:
    """Chernoff's bound, -log: the relative entropy of `few` among all outcomes to the arm's share of requests."""
    total = few + many
    parts = ((few, share), (many, 1.0 - share))
    return sum(count * math.log(count / total / part) for count, part in parts if count and part)


def _absent(there: str, few: str, evidence: float) -> Finding | None:
    if evidence < MISSED:
        return None
    return Finding(
        Problem.of(
            "absent-outcomes",
            f"{there}.",
            f"Find out whether those of {few} are late or lost. If there are none, state a settling time in the "
            "metric: after that time a request without an outcome counts as one that never gets any.",
        ),
        Severity.BLOCKS_PROMOTION,
        few,
    )


def _silent(timing: OutcomeTiming, candidates: list[str], control: str) -> Iterator[Doubt]:
    for name, arms in timing.silences.items():
        for arm, silence in arms.items():
            count = timing.outcomes[name].get(arm, 0)
            expected = count * silence.after / max(silence.before, 1)
            if count < FEWEST or expected < SILENT + math.log(count):
                continue
            reason = f"None of the latest {silence.after} requests of {arm} has got {name}"
            finding = Finding(
                Problem.of(
                    "outcomes-stopped",
                    f"{reason}; about {expected:.0f} should have.",
                    "Find out whether their sender still runs; outcomes that it sends later still count.",
                ),
                Severity.BLOCKS_PROMOTION,
                arm,
            )
            for variant in candidates if arm == control else [arm]:
                yield None if timing.stated else variant, f"{reason}.", finding


def _differing(timing: OutcomeTiming, control: str, alpha: float) -> Iterator[Doubt]:
    if control not in timing.delays:
        return
    tolerance = TOLERANCE_IN_TIME if timing.stated else TOLERANCE
    lately = {gap.variant: gap for gap in _gaps(timing.lately, control)}
    for gap in _gaps(timing.delays, control):
        newest = lately.get(gap.variant)
        if abs(gap.share - gap.control_share) < tolerance:
            continue
        if gap.log_e_value < -math.log(alpha) or (newest is not None and newest.p_value > STILL):
            continue
        finding = _late(timing, gap, control)
        yield gap.variant, finding.detail, finding


def _gaps(sums: Mapping[str, UnitSums], control: str) -> tuple[OutcomeGap, ...]:
    return outcome_gaps(sums, control, spread=SPREAD, fewest=FEWEST_USERS) if control in sums else ()


def _late(timing: OutcomeTiming, gap: OutcomeGap, control: str) -> Finding:
    if timing.stated:
        sentence = (
            f"{gap.share:.1%} of the outcomes {timing.words} of {gap.variant} come within {timing.settling:g} s, "
            f"and {gap.control_share:.1%} of those of {control}."
        )
        step = "State a settling time in which nearly all of them come, or find out why they come later."
    else:
        later, sooner = (gap.variant, control) if gap.share > gap.control_share else (control, gap.variant)
        sentence = f"Outcomes {timing.words} come later to requests of {later} than to those of {sooner}."
        step = (
            f"Find out why those of {later} are late. If they always are, state a settling time in the metric in which "
            "nearly all have come in both."
        )
    return Finding(
        Problem.of("late-outcomes", sentence, step),
        Severity.BLOCKS_PROMOTION,
        gap.variant,
        p_value=gap.p_value,
        log_e_value=gap.log_e_value,
    )
