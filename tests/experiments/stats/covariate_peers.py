"""GrowthBook's adjustment by the past, whose slope comes from both arms thrown together without centring each.

Ours centres within arms, as an analysis of covariance does, so a real effect does not leak into the slope.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from tests.experiments.stats import peers
from tests.experiments.stats.references import Inputs, Ours
from tests.experiments.stats.samples import Values


@dataclass(frozen=True)
class Moments:
    """Units, totals of (Y, D, X, W) and their products; a mean has D = W = 1."""

    units: int
    totals: Values
    products: Values

    def covariances(self) -> Values:
        return np.asarray((self.products - np.outer(self.totals, self.totals) / self.units) / (self.units - 1))

    def forms(self) -> tuple[Values, Values]:
        """Weights of the totals in the linear form of the metric, and of its past."""
        means = self.totals / self.units
        after = np.array([1.0, -means[0] / means[1], 0.0, 0.0]) / means[1]
        return after, np.array([0.0, 0.0, 1.0, -means[2] / means[3]]) / means[3]

    @property
    def value(self) -> float:
        return float(self.totals[0] / self.totals[1])

    @property
    def past(self) -> float:
        return float(self.totals[2] / self.totals[3])


def moments(y: Sequence[float], x: Sequence[float]) -> Moments:
    columns = np.stack([y, np.ones(len(y)), x, np.ones(len(y))])
    return Moments(len(y), columns.sum(axis=1), columns @ columns.T)


def moments_of_mean(side: Inputs) -> Moments:
    n, post, pre = side["n"], side["post"], side["pre"]
    y, x = post["sum"], pre["sum"]
    products = [
        [post["sum_squares"], y, side["post_pre"], y],
        [y, n, x, n],
        [side["post_pre"], x, pre["sum_squares"], x],
        [y, n, x, n],
    ]
    return Moments(n, np.array([y, n, x, n], dtype=np.float64), np.array(products, dtype=np.float64))


def moments_of_ratio(side: Inputs) -> Moments:
    parts = [side[name] for name in ("m_post", "d_post", "m_pre", "d_pre")]
    products = np.diag([part["sum_squares"] for part in parts]).astype(np.float64)
    pairs = {
        (0, 1): "m_post_d_post",
        (0, 2): "m_post_m_pre",
        (0, 3): "m_post_d_pre",
        (1, 2): "m_pre_d_post",
        (1, 3): "d_post_d_pre",
        (2, 3): "m_pre_d_pre",
    }
    for (row, column), name in pairs.items():
        products[row, column] = products[column, row] = side[name]
    return Moments(side["n"], np.array([part["sum"] for part in parts]), products)


def adjusted(control: Moments, treatment: Moments) -> tuple[float, list[tuple[float, float, float]]]:
    """The slope and each arm's (units, mean, variance) with the past taken off."""
    is_mean = control.totals[1] == control.units
    theta = pooled_slope(control, treatment) if is_mean else averaged_slope(control, treatment)
    arms: list[tuple[float, float, float]] = []
    for arm in (control, treatment):
        form_after, form_before = arm.forms()
        form = form_after - theta * form_before
        arms.append((arm.units, arm.value - theta * arm.past, float(form @ arm.covariances() @ form)))
    return theta, arms


def pooled_slope(control: Moments, treatment: Moments) -> float:
    both = Moments(
        control.units + treatment.units, control.totals + treatment.totals, control.products + treatment.products
    )
    (after, before), spread = both.forms(), both.covariances()
    return float(after @ spread @ before / (before @ spread @ before))


def averaged_slope(control: Moments, treatment: Moments) -> float:
    """Of ratios they centre within arms, as we do, and weigh both arms alike."""
    explained = spread = 0.0
    for arm in (control, treatment):
        (after, before), covariances = arm.forms(), arm.covariances()
        explained += float(after @ covariances @ before)
        spread += float(before @ covariances @ before)
    return explained / spread


def absolute(control: Moments, treatment: Moments, alpha: float) -> Ours:
    theta, ((n_c, m_c, v_c), (n_t, m_t, v_t)) = adjusted(control, treatment)
    parts = v_t / n_t, v_c / n_c
    degrees = sum(parts) ** 2 / (parts[0] ** 2 / (n_t - 1) + parts[1] ** 2 / (n_c - 1))
    error, difference = float(np.sqrt(sum(parts))), m_t - m_c
    critical = float(special.stdtrit(degrees, 1 - alpha / 2))
    return {
        "theta": theta,
        "est": difference,
        "se": error,
        "p": 2 * float(special.stdtr(degrees, -abs(difference) / error)),
        "ci_lo": difference - critical * error,
        "ci_hi": difference + critical * error,
    }


def lift(control: Moments, treatment: Moments) -> peers.Effect:
    """Relative effect, over the control's value as measured."""
    theta, ((n_c, m_c, v_c), (n_t, m_t, v_t)) = adjusted(control, treatment)
    base, difference = control.value, m_t - m_c
    # The control enters twice, as the arm and as the base.
    reached = treatment.value if control.totals[1] == n_c else base + difference
    after, before = control.forms()
    gradient = (theta * before - reached / base * after) / base
    variance = v_t / n_t / base**2 + float(gradient @ control.covariances() @ gradient) / n_c
    degrees = (v_t / n_t + v_c / n_c) ** 2 / ((v_t / n_t) ** 2 / (n_t - 1) + (v_c / n_c) ** 2 / (n_c - 1))
    return peers.Effect(difference / base, float(np.sqrt(variance)), degrees)
