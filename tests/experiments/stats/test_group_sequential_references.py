"""Critical values at planned looks against gsDesign, ldbounds, Spotify's own and the classical tables."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import optimize

from experiments.stats.core.spending import OBRIEN_FLEMING, POCOCK, Look, Spending, hwang_shih_decani, power_family
from experiments.stats.sequential.group_sequential import Design, critical_values, design
from experiments.stats.sequential.group_sequential.design import stopping_probabilities
from experiments.stats.sequential.group_sequential.paths import start
from tests.experiments.stats.references import Inputs, Ours, Reference, compare, references

pytestmark = pytest.mark.slow

SPENDING: dict[str, Callable[[float], Spending]] = {
    "obf": lambda _: OBRIEN_FLEMING,
    "pocock": lambda _: POCOCK,
    "power": power_family,
    "hsd": hwang_shih_decani,
}


def spending_of(text: str) -> Spending:
    family, _, shape = text.partition(":")
    return SPENDING[family](float(shape or 0))


def equal_looks(count: int) -> tuple[float, ...]:
    return tuple((number + 1) / count for number in range(count))


def at_fractions(inputs: Inputs) -> Ours:
    looks = [Look(t, t) for t in inputs["t"]]
    spending, sides = spending_of(inputs["spending"]), inputs["sides"]
    critical = critical_values(looks, inputs["alpha"], spending=spending, sides=sides)
    spent = [sides * spending.spent(inputs["alpha"] / sides, t) for t in inputs["t"]]
    return {"upper": critical, "cum_alpha": spent}


def spending_design(inputs: Inputs) -> Ours:
    spending = {"sfLDOF": OBRIEN_FLEMING, "sfLDPocock": POCOCK}[inputs["type"]]
    return as_designed(
        design(equal_looks(inputs["K"]), inputs["alpha_two_sided"], inputs["power"], spending=spending, sides=2)
    )


def one_sided_design(inputs: Inputs) -> Ours:
    """The one reference that never stops below."""
    spending = hwang_shih_decani(-4.0)
    return as_designed(design(equal_looks(inputs["K"]), inputs["alpha_one_sided"], inputs["power"], spending=spending))


def as_designed(looks: Design) -> Ours:
    return {
        "upper": looks.critical,
        "inflation": looks.inflation,
        "EN_null": looks.expected_without_effect,
        "EN_alt": looks.expected_with_effect,
    }


def classical_shape(kind: str, count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.sqrt(count / np.arange(1, count + 1)) if kind == "obf" else np.ones(count)


def classical_constant(kind: str, count: int, alpha: float) -> float:
    """The constant that makes boundaries of Pocock's or O'Brien and Fleming's shape spend alpha over all looks."""

    def excess(constant: float) -> float:
        bounds = constant * classical_shape(kind, count)
        return float(stopping_probabilities(equal_looks(count), bounds, sides=2).sum()) - alpha

    return float(optimize.brentq(excess, 1.5, 4.0))


def classical_constants(inputs: Inputs) -> Ours:
    return {"C": [classical_constant(inputs["kind"], count, inputs["alpha"]) for count in inputs["K"]]}


def classical_design(inputs: Inputs) -> Ours:
    count, kind = inputs["K"], {"OF": "obf", "Pocock": "pocock"}[inputs["type"]]
    fractions = equal_looks(count)
    bounds = classical_constant(kind, count, inputs["alpha_two_sided"]) * classical_shape(kind, count)

    def shortfall(drift: float) -> float:
        return float(stopping_probabilities(fractions, bounds, drift=drift, sides=2)[0].sum() - float(inputs["power"]))

    drift = optimize.brentq(shortfall, 0.1, 10.0)
    inflation = (drift / SINGLE_LOOK) ** 2
    used = [
        inflation * (1.0 - float(np.dot(1.0 - np.array(fractions), stopped)))
        for stopped in (stopping_probabilities(fractions, bounds, drift=d, sides=2).sum(axis=0) for d in (0.0, drift))
    ]
    return {"upper": bounds, "inflation": inflation, "EN_null": used[0], "EN_alt": used[1]}


SINGLE_LOOK = 1.959963984540054 + 0.8416212335729143


def with_futility(inputs: Inputs) -> Ours:
    """A lower boundary that spends the chance to miss the effect, and that nobody has to obey.

    We offer none, since *not enough data* must never become a verdict; this shows that its figures follow from our
    recursion.
    """
    fractions = equal_looks(inputs["K"])
    upper = critical_values([Look(t, t) for t in fractions], inputs["alpha_one_sided"])
    missed = [hwang_shih_decani(-2.0).spent(1.0 - inputs["power"], t) for t in fractions]

    def lower_bounds(drift: float) -> list[float]:
        paths, bounds = start(drift), []
        for at, bound, step in zip(fractions, upper, np.diff([0.0, *missed]), strict=True):
            here, chance = paths, float(step)
            bounds.append(optimize.brentq(lambda z, p=here, t=at, c=chance: p.below(z, t) - c, -8.0, 8.0))
            paths = paths.between(bounds[-1], float(bound), at)
        return bounds

    drift = optimize.brentq(lambda d: lower_bounds(d)[-1] - upper[-1], SINGLE_LOOK, 1.3 * SINGLE_LOOK)
    lower = lower_bounds(drift)
    inflation = (drift / SINGLE_LOOK) ** 2
    used = [inflation * expected_fraction(fractions, lower, upper.tolist(), d) for d in (0.0, drift)]
    return {"upper": upper, "lower": lower, "inflation": inflation, "EN_null": used[0], "EN_alt": used[1]}


def expected_fraction(fractions: tuple[float, ...], lower: list[float], upper: list[float], drift: float) -> float:
    paths, expected, going_on = start(drift), 0.0, 1.0
    for at, low, high in zip(fractions, lower, upper, strict=True):
        stopped = paths.exceeding(high, at) + paths.below(low, at)
        expected, going_on = expected + at * stopped, going_on - stopped
        paths = paths.between(low, high, at)
    return expected + going_on


@pytest.mark.parametrize("case", references("gst"))
def test_agrees_with_the_reference(case: Reference) -> None:
    compare(
        case,
        {
            "gst.sfLD": spending_design,
            "gst.sfHSD": one_sided_design,
            "gst.OF": classical_design,
            "gst.Pocock": classical_design,
            "gst.nonbinding": with_futility,
            "gst.const": classical_constants,
            "gst.ld": at_fractions,
            "gst.spotify": at_fractions,
        },
    )


@pytest.mark.parametrize("count", [2, 14, 100])
@pytest.mark.parametrize("spending", [OBRIEN_FLEMING, POCOCK, power_family(2.0), hwang_shih_decani(-4.0)])
def test_alpha_is_spent_to_the_last_digit_whatever_the_number_of_looks(count: int, spending: Spending) -> None:
    fractions = equal_looks(count)
    bounds = critical_values([Look(t, t) for t in fractions], 0.05, spending=spending)
    assert stopping_probabilities(fractions, bounds).sum() == pytest.approx(0.05, abs=1e-8)


def test_one_look_is_the_fixed_horizon() -> None:
    assert critical_values([Look(37.0, 1.0)], 0.05, sides=2)[0] == pytest.approx(1.959963984540054)
    assert design((1.0,), 0.05, 0.8, sides=2).inflation == pytest.approx(1.0, abs=1e-4)


def test_the_unit_of_information_does_not_matter() -> None:
    fractions = (0.3, 0.7, 1.0)
    small = critical_values([Look(t * 1e-6, t) for t in fractions], 0.05)
    large = critical_values([Look(t * 1e9, t) for t in fractions], 0.05)
    np.testing.assert_allclose(small, large, rtol=1e-9)
    assert math.isinf(critical_values([Look(1.0, 0.0)], 0.05)[0])
