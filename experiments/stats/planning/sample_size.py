"""How many units a test needs, what it sees with those it has, and how surely."""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, special, stats

from experiments.stats.core.errors import InvalidArgument, require
from experiments.stats.planning.baseline import Baseline

FEWEST = 2.0
MOST = 1e15
LIMIT = 1e6
"""Degrees of freedom beyond which Student's distribution is the normal one to six digits."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a test asks of a candidate with `units` and a control with `control_ratio` times as many.

    `level` is one-sided: half of alpha for a two-sided test. `margin` is the harm that is accepted, in the metric's
    unit, or a share of |control| where `margin_is_relative`; without one the question is superiority. `sides` is 2
    for equivalence, when both ends of the margin have to be excluded. `inflation` is the price of several looks.
    `heavy_may_fail`: a look asks whether the margin is kept though heavy units alone may fail, and then wholly, as of
    shares of requests.
    """

    level: float = 0.025
    power: float = 0.8
    control_ratio: float = 1.0
    margin: float = 0.0
    margin_is_relative: bool = False
    equivalence: bool = False
    inflation: float = 1.0
    heavy_may_fail: bool = False


USUAL = Question()


def units_needed(baseline: Baseline, effect: float, question: Question = USUAL) -> float:
    """Units of the candidate, not rounded, to see an effect of this size, in the metric's unit and of either sign.

    Superiority, normal: (z_level + z_power)² (v_T + v_C / k) / effect², and for shares
    (z_level sqrt(p q (1 + 1/k)) + z_power sqrt(p_T q_T + p_C q_C / k))² / effect² with p pooled. For a margin the
    effect is the true harm, usually 0, and the distance to the margin takes its place; a relative margin m has the
    variance v_T + (1 + m)² v_C / k of its linear contrast. Where heavy units may fail see `_with_heavy_units`.
    Assumes enough units for a normal limit; `student_units` is for few.
    References: Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions (2003); Farrington and Manning
    (Stat. Med. 1990).

    Raises:
        InvalidArgument: `effect-zero`, `question-range`, `share-range`.

    >>> from experiments.stats.planning.baseline import share
    >>> round(units_needed(share(0.1), 0.01), 2)
    14750.79
    >>> guardrail = Question(level=0.05, margin=0.25, margin_is_relative=True)
    >>> round(units_needed(share(0.01), 0.0, guardrail))
    25095
    """
    _check(question)
    distance, null, alternative = _spreads(baseline, effect, question)
    require(distance > 0.0, lambda: _error("effect-zero", "There is no distance between what is true and the null."))
    wanted = special.ndtri(1.0 - question.level) * math.sqrt(null) + _z_power(question) * math.sqrt(alternative)
    units = float((wanted / distance) ** 2 * question.inflation)
    return _with_heavy_units(baseline, effect, question, units) if question.heavy_may_fail else units


def power(baseline: Baseline, effect: float, units: float, question: Question = USUAL) -> float:
    """Chance to see an effect of this size with so many units of the candidate; `question.power` plays no part.

    Heavy units that may fail are left out.

    Raises:
        InvalidArgument: `question-range`, `share-range`, `units-range`.

    >>> from experiments.stats.planning.baseline import share
    >>> round(power(share(0.1), 0.01, 14750.79), 4)
    0.8
    """
    _check(question)
    require(units > 0.0, lambda: _error("units-range", f"The candidate has {units} units."))
    distance, null, alternative = _spreads(baseline, effect, question)
    critical = float(special.ndtri(1.0 - question.level))
    reached = (distance * math.sqrt(units / question.inflation) - critical * math.sqrt(null)) / math.sqrt(alternative)
    one_side = float(special.ndtr(reached))
    return max(2.0 * one_side - 1.0, 0.0) if question.equivalence else one_side


def minimum_effect(baseline: Baseline, units: float, question: Question = USUAL) -> float:
    """The smallest effect, in the metric's unit, that so many units of the candidate show with the stated power.

    Of a share, the smallest rise. With a margin, the smallest margin, in the question's terms, that an equal
    candidate is shown to keep.

    Raises:
        InvalidArgument: `question-range`, `units-range`, `effect-none`, even the largest effect is not seen.

    >>> from experiments.stats.planning.baseline import mean
    >>> round(minimum_effect(mean(10.0, 2.0), 251.2), 3)
    0.5
    """
    _check(question)
    require(units > 0.0, lambda: _error("units-range", f"The candidate has {units} units."))
    if not baseline.is_share and not question.margin:
        return math.sqrt(units_needed(baseline, 1.0, question) / units)

    def excess(size: float) -> float:
        if question.margin:
            return units_needed(baseline, 0.0, replace(question, margin=size)) - units
        return units_needed(baseline, size, question) - units

    largest = 1.0 - baseline.value - 1e-9 if baseline.is_share and not question.margin else 1e6 * _size(baseline)
    smallest = 1e-9 * _size(baseline)
    require(excess(largest) <= 0.0, lambda: _error("effect-none", f"{units} units show no effect at all."))
    return float(optimize.brentq(excess, smallest, largest, xtol=1e-12, rtol=1e-10))


def student_units(effect: float, standard_deviation: float, question: Question = USUAL) -> float:
    """Units of the candidate by the noncentral t distribution, for means of few units.

    Solves P(t_ν(δ) > t_{ν,1-level}) = power with ν = n (1 + k) - 2 and δ = effect / (sd sqrt((1 + 1/k) / n)).
    Assumes normal values of equal variance. Reference: Cohen, Statistical Power Analysis (1988).

    Raises:
        InvalidArgument: `effect-zero`, `question-range`.

    >>> round(student_units(0.2, 1.0), 4)
    393.4067
    """
    _check(question)
    require(effect != 0.0, lambda: _error("effect-zero", "The effect is zero."))

    def shortfall(units: float) -> float:
        return student_power(effect, standard_deviation, units, question) - question.power

    first = FEWEST / (1.0 + question.control_ratio) + 1.0
    if shortfall(first) >= 0.0:
        return first
    return float(optimize.brentq(shortfall, first, MOST, xtol=1e-9, rtol=1e-12)) * question.inflation


def student_power(effect: float, standard_deviation: float, units: float, question: Question = USUAL) -> float:
    """Chance that Student's test with so many units of the candidate shows the effect.

    >>> round(student_power(0.2, 1.0, 500.0), 6)
    0.884788
    """
    degrees = units * (1.0 + question.control_ratio) - 2.0
    shift = abs(effect) / (standard_deviation * math.sqrt((1.0 + 1.0 / question.control_ratio) / units))
    critical = special.stdtrit(degrees, 1.0 - question.level)
    if degrees > LIMIT:
        return float(special.ndtr(shift - critical))
    return float(stats.nct.sf(critical, degrees, shift))


def _with_heavy_units(baseline: Baseline, effect: float, question: Question, units: float) -> float:
    """Units that it takes if heavy ones may fail wholly, of whom there are heavier ones the more units there are."""
    before = 0.0
    while units > before:
        before, units = units, max(units, _against_heavy_units(baseline, effect, question, units))
    return units


def _against_heavy_units(baseline: Baseline, effect: float, question: Question, units: float) -> float:
    """Units that it takes if heavy ones are as heavy as among so many.

    The variance N of one unit under the hypothesis is v (1 + 1/k) + margin · h, for what the tenth heaviest unit of the
    larger arm sends, h times the mean; the truth has the smaller T. All of the planned information is there at
    n_1 = inflation N (z_level + z_power)² / distance², and a look at n units asks for about z_level sqrt(n_1 / n), by
    O'Brien and Fleming. So an equal candidate passes with its power from the n on at which
    distance n = z_power sqrt(T n) + z_level sqrt(N n_1).
    """
    distance, _, truth = _spreads(baseline, effect, question)
    heaviest = baseline.heaviest(units * max(question.control_ratio, 1.0))
    chance = baseline.variance_at(baseline.value) * (1.0 + 1.0 / question.control_ratio)
    null = max(truth, chance + _margin_of(baseline, question) * heaviest)
    z_level, z_power = float(special.ndtri(1.0 - question.level)), _z_power(question)
    at_once = question.inflation * null * ((z_level + z_power) / distance) ** 2
    if question.inflation == 1.0:
        return at_once
    sure = z_power * math.sqrt(truth)
    return ((sure + math.sqrt(sure**2 + 4.0 * distance * z_level * math.sqrt(null * at_once))) / (2.0 * distance)) ** 2


def _spreads(baseline: Baseline, effect: float, question: Question) -> tuple[float, float, float]:
    """Distance to the null, and the variance of the contrast for one unit of the candidate, under null and truth."""
    k, control = question.control_ratio, baseline.value
    treated = control + effect
    in_range = not baseline.is_share or 0.0 <= treated <= 1.0
    require(in_range, lambda: _error("share-range", f"A share of {treated} does not exist."))
    factor = 1.0 + question.margin if question.margin_is_relative else 1.0
    margin = _margin_of(baseline, question)
    truth = baseline.variance_at(treated) + factor**2 * baseline.variance_at(control) / k
    if question.margin:
        return margin - abs(effect), truth, truth
    pooled = baseline.variance_at((treated + k * control) / (1.0 + k)) * (1.0 + 1.0 / k)
    return abs(effect), pooled, truth


def _margin_of(baseline: Baseline, question: Question) -> float:
    """In the metric's unit."""
    return question.margin * abs(baseline.value) if question.margin_is_relative else question.margin


def _z_power(question: Question) -> float:
    """Equivalence has to exclude two ends, and an equal candidate may miss either."""
    chance = (1.0 + question.power) / 2.0 if question.equivalence else question.power
    return float(special.ndtri(chance))


def _size(baseline: Baseline) -> float:
    return max(abs(baseline.value), math.sqrt(baseline.unit_variance), np.finfo(np.float64).tiny)


def _check(question: Question) -> None:
    numbers = (question.level, question.power, question.control_ratio, question.margin, question.inflation)
    sound = (
        all(math.isfinite(number) for number in numbers)
        and 0.0 < question.level < 0.5
        and question.level < question.power < 1.0
        and question.control_ratio > 0.0
        and question.margin >= 0.0
        and question.inflation >= 1.0
        and (question.margin > 0.0 or not question.equivalence)
    )
    require(sound, lambda: _error("question-range", f"{question} cannot be asked."))


def _error(code: str, detail: str) -> InvalidArgument:
    return InvalidArgument(
        code,
        detail,
        next_step="Give an effect or margin above 0, a level below 1/2, a power above it, positive units and ratios.",
    )
