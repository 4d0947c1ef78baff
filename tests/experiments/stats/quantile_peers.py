"""Methods of others for quantiles that we do not offer, written down only to show that we know their figures.

GrowthBook's needs a density; the exact ones of Howard and Ramdas, the uniform band and the binomial interval take each
request as independent, which requests of one user are not. What we offer instead is in docs/statistics.md.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from scipy import optimize, special, stats

from tests.experiments.stats import peers
from tests.experiments.stats.references import Inputs, Ours


def growthbook_quantile(values: Sequence[float], units: Sequence[int], q: float, alpha: float) -> dict[str, float]:
    """Yao, Li and Lu: order statistics spaced as for independent requests, stretched by the clustering at one point."""
    ordered, count = np.sort(values), len(values)
    value = float(np.quantile(ordered, q))
    z = float(-special.ndtri(alpha / 2))
    half = z * math.sqrt(q * (1 - q) / count)
    low, high = (float(np.quantile(ordered, level)) for level in (q - half, q + half))
    codes = np.unique(units, return_inverse=True)[1]
    below = np.bincount(codes, weights=np.array(values) <= value)
    sent = np.bincount(codes).astype(np.float64)
    share = below.sum() / sent.sum()
    residuals = below - share * sent
    clustered = float(residuals.var(ddof=1)) / sent.size / float(sent.mean()) ** 2
    independent = q * (1 - q) / count
    spread = ((high - low) / (2 * z)) ** 2 * (count - 1) / count
    return {
        "qhat": value,
        "lo": low,
        "hi": high,
        "iid": independent,
        "clus": clustered,
        "var_mean": spread * clustered / independent,
    }


def welch(difference: float, error: float, variances: Sequence[float], units: Sequence[int], alpha: float) -> Ours:
    """Two-sided test of a difference; variances are those of the estimates."""
    spread = sum(v**2 / (n - 1) for v, n in zip(variances, units, strict=True))
    degrees = sum(variances) ** 2 / spread
    critical = float(special.stdtrit(degrees, 1 - alpha / 2))
    return {
        "est": difference,
        "se": error,
        "p": 2 * float(special.stdtr(degrees, -abs(difference) / error)),
        "ci_lo": difference - critical * error,
        "ci_hi": difference + critical * error,
    }


def binomial(values: Sequence[float], inputs: Inputs) -> Ours:
    found = stats.quantile_test(values, q=inputs["q"], p=inputs["p"])
    low, high = np.asarray(found.confidence_interval())
    return {"p": found.pvalue, "lo": low, "hi": high}


def howard_ramdas(control: Sequence[float], treatment: Sequence[float], inputs: Inputs) -> Ours:
    """Smallest evidence, over all common values of the quantile, of both arms together against that value."""
    arms = [np.sort(control), np.sort(np.array(treatment) * inputs["mult"])]
    least = min(sum(_against(arm, float(x), inputs) for arm in arms) for x in np.concatenate(arms))
    return {"p": min(1.0, math.exp(-least))}


def _against(ordered: np.ndarray[tuple[int], np.dtype[np.float64]], x: float, inputs: Inputs) -> float:
    """Evidence of one arm against x: a beta-binomial mixture of how many values lie below, the mildest allowed."""
    q, count = inputs["quantile"], ordered.size
    at_least, at_most = (np.searchsorted(ordered, x, side=side) / count for side in ("left", "right"))
    mixture = {"v": q * (1 - q) * count, "g": q, "h": 1 - q, "one_sided": False, "alpha_opt": 0.05}
    mixture["v_opt"] = inputs["t_opt"] * q * (1 - q)

    def log_e(share: float) -> float:
        return peers.beta_binomial_log_e({**mixture, "s": (share - q) * count})

    return log_e(float(np.clip(_mildest(mixture), at_least, at_most)))


def _mildest(mixture: Mapping[str, float]) -> float:
    """The share below at which the mixture is smallest."""
    count = mixture["v"] / (mixture["g"] * mixture["h"])

    def log_e(share: float) -> float:
        return peers.beta_binomial_log_e({**mixture, "s": (share - mixture["g"]) * count})

    return float(optimize.minimize_scalar(log_e, bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-10}).x)


def uniform_band(inputs: Inputs) -> Ours:
    """Howard and Ramdas, theorem 2: a band around the whole distribution at all times."""
    t, t_min, a = inputs["t"], inputs["t_min"], inputs["A"]
    c = _band_constant(inputs["alpha"], a)
    return {"bound": a * math.sqrt((math.log1p(math.log(t / t_min)) + c) / t)}


def _band_constant(alpha: float, a: float) -> float:
    def error(c: float, eta: float) -> float:
        gap = a - math.sqrt(2 * (eta - 1) / c)
        gamma = 2 / eta * gap**2 if gap > 0 else 0.0
        return 4 * math.exp(-gamma * c) * (1 + 1 / ((gamma - 1) * math.log(eta))) if gamma > 1 else math.inf

    def best(c: float) -> float:
        grid = np.linspace(1.0001, 2 * a * a, 400)
        place = int(np.argmin([error(c, eta) for eta in grid]))
        low, high = grid[max(place - 1, 0)], grid[min(place + 1, grid.size - 1)]
        found = optimize.minimize_scalar(lambda eta: error(c, eta), bounds=(low, high), method="bounded")
        return float(found.fun)

    steps = np.linspace(5.0, 20.0, 31)
    bracket = next(pair for pair in pairwise(steps) if best(pair[1]) < alpha)
    return float(optimize.brentq(lambda c: best(c) - alpha, *bracket, xtol=1e-12))
