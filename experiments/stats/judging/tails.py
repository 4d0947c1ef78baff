"""Harm that is rare and huge: shares of values above fixed thresholds, which halt and are not asked for by promotion.

A mean tells little of it: of a share p of values that are k times larger, the effect grows with k, and so does its
standard error, so that the z of n users stays below sqrt(n p), the spreads that a mixture looks for end somewhere, and
while p (k - 1) is within the margin it accepts them. The share of values above a threshold does not know how far above
they are. With a few thresholds in geometric steps one lies between what is usual and what is huge, and the huger the
harm, the more of them are below it: huger is never slower.

A control whose threshold is lower by the guardrail's margin makes the hypothesis "no value is later by more than the
margin, but for a share of values", which a candidate that is slower by the margin throughout does not break. So equal
arms differ to the candidate's favour, whatever the tail is like, as only shares are compared.
References: Kohavi, Tang and Xu, Trustworthy Online Controlled Experiments (2020), chapter 22, on shares above a
threshold; Lehmann, Ordered families of distributions (Ann. Math. Stat. 1955), for the stochastic order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from experiments.stats.core.types import Evidence, HarmSince, JudgePlan
from experiments.stats.judging.cells import Name
from experiments.stats.judging.gather import gather_without
from experiments.stats.judging.harm import PART_OF_LOOKS, anytime_alpha, halt, log_harm
from experiments.stats.judging.later import PART_FROM_START, LaterEvidence, harm_of, harm_since

PART_OF_TAILS = 0.2
"""The part of halt_alpha for tails, where a plan has some; all of it for evidence at any time."""


TIMES = 1.5
"""So many times the control's share, and the margin more, is beyond it by estimate."""


def of_guardrails(plan: JudgePlan) -> JudgePlan:
    """The plan without its tails, with the part of halt_alpha that they leave."""
    return replace(plan, tails={}, halt_alpha=(1.0 - PART_OF_TAILS) * plan.halt_alpha) if plan.tails else plan


def of_tails(plan: JudgePlan) -> JudgePlan:
    """The plan of the tails alone, as if each were a guardrail, with their part of halt_alpha and no look to spend it.

    >>> from experiments.stats.core.types import Direction, MetricPlan, MetricType, Role
    >>> slow = MetricPlan("over 1 s", MetricType.RATIO, Direction.DECREASE, Role.GUARDRAIL, counts_events=True)
    >>> plan = JudgePlan((), "control", {"control": 0.5, "new": 0.5}, halt_alpha=0.01, tails={"latency": (slow,)})
    >>> round(anytime_alpha(of_tails(plan)), 6), round(of_guardrails(plan).halt_alpha, 6)
    (0.002, 0.008)
    """
    tails = tuple(tail for tails in plan.tails.values() for tail in tails)
    return replace(plan, metrics=tails, tails={}, halt_alpha=PART_OF_TAILS * plan.halt_alpha / (1.0 - PART_OF_LOOKS))


def beyond_margin(plan: JudgePlan, troubles: Mapping[Name, str], *, evidence: Evidence) -> tuple[HarmSince, ...]:
    """The tails whose estimate is beyond its margin by half of the control's share or more, the furthest first.

    They are no ground to promote on. Where many values are in the tail of both arms, chance alone passes the margin.
    """
    cells = gather_without(plan, evidence, troubles)
    excess = cells.candidate.estimates.value - TIMES * cells.control.estimates.value - cells.margin
    order = np.argsort(-np.where(cells.measured, excess, -np.inf), kind="stable")
    return tuple(harm_of(cells, int(place), None) for place in order if cells.measured[place] and excess[place] > 0.0)


def harm_in_tails(
    plan: JudgePlan, troubles: Mapping[Name, str], *, evidence: Evidence, later: Sequence[LaterEvidence]
) -> tuple[HarmSince, ...]:
    """The tails of a plan of tails that are shown to be beyond their margin, from the start on or since a later one.

    The clearest comes first, and of those that are as clear the one with the highest threshold. Assumes thresholds in
    rising order, and what guardrails that are shares of requests assume.
    """
    cells = gather_without(plan, evidence, troubles)
    log_e = log_harm(plan, cells)
    stop = halt(cells, log_e, PART_FROM_START * anytime_alpha(plan))
    if not stop.reached:
        return harm_since(plan, later, without=frozenset(troubles)) if later else ()
    order = np.lexsort((np.arange(log_e.size), np.nan_to_num(log_e, nan=-np.inf)))[::-1]
    blamed = [int(place) for place in order if cells.names[place] in stop.blamed]
    return tuple(harm_of(cells, place, None) for place in blamed)
