"""How often and how soon methods stop, against published simulations: ours draw anew, with their own seeds."""

import functools
import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from scipy import special

from experiments.stats.core.spending import OBRIEN_FLEMING, Look, Spending, power_family
from experiments.stats.sequential import anytime, events
from experiments.stats.sequential.group_sequential import critical_values
from tests.experiments.stats.references import Inputs, Reference, references
from tests.experiments.stats.samples import Values
from tests.experiments.stats.test_anytime_references import approximate_ratio

pytestmark = pytest.mark.slow

RUNS = 20_000
DESIGN = 1.959963984540054 + 0.8416212335729143
"""Mean of z at all of the information that a single two-sided look needs for a power of 80 %."""


def looks_of(name: str, pairs: int) -> Values:
    """Numbers of pairs at which one looks; 14 or 56 batches, the last one smaller."""
    count = pairs if name == "stream" else int(name)
    return np.asarray(np.arange(1, count + 1) * pairs // count, dtype=np.float64)


@functools.cache
def spotify_paths(effect: float, pairs: int) -> Values:
    """Z after each pair of users of both arms with a known deviation of 1; one row a run."""
    rng = np.random.default_rng([60, round(effect * 10)])
    steps = rng.standard_normal((RUNS, pairs), dtype=np.float32) * math.sqrt(2) + np.float32(effect)
    n = np.arange(1, pairs + 1)
    return np.asarray(steps.cumsum(axis=1) / np.sqrt(2 * n))


def spotify_bound(method: str, n: Values, inputs: Inputs) -> Values:
    """The z from which on a method rejects after n pairs, one-sided."""
    alpha, last = inputs["alpha"], inputs["N_pairs"]
    if method == "naive":
        return np.full_like(n, -special.ndtri(alpha))
    if method == "bonferroni":
        return np.full_like(n, -special.ndtri(alpha / n.size))
    if method.startswith("GAVI"):
        # Closed forms of one side, tuned to the number of pairs in the name.
        r = n * approximate_ratio(2 * alpha) / float(method.removeprefix("GAVI"))
        return np.asarray(np.sqrt(2 * (1 + r) / r * np.log(np.sqrt(1 + r) / (2 * alpha))), dtype=np.float64)
    if method == "mix1s_exact":
        return anytime.one_sided_critical(n * approximate_ratio(2 * alpha) / last, alpha)
    if method.startswith("mSPRT"):
        r = n / 2 / float(method.removeprefix("mSPRTphi"))
        return anytime.two_sided_critical(r[:, None], 2 * alpha)
    spending: Spending = OBRIEN_FLEMING if method == "GST_obf" else power_family(1.0)
    return critical_values([Look(k / last, k / last) for k in n.tolist()], alpha, spending=spending)


def stopped(z: Values, bound: Values, amounts: Values, *, two_sided: bool = False) -> tuple[float, float]:
    """Share of runs that reject, and the mean amount used."""
    beyond = (np.abs(z) if two_sided else z) >= bound
    ever = beyond.any(axis=1)
    used = np.where(ever, amounts[np.argmax(beyond, axis=1)], amounts[-1])
    return float(ever.mean()), float(used.mean())


def spotify(case: Reference) -> None:
    inputs = case.inputs
    n = looks_of(inputs["looks"], inputs["N_pairs"])
    z = spotify_paths(inputs["effect"], inputs["N_pairs"])[:, n.astype(np.intp) - 1]
    reject, pairs = stopped(z, spotify_bound(inputs["method"], n, inputs), n)
    assert reject == pytest.approx(case.expected["reject"], abs=case.tolerance["abs_reject"])
    assert 2 * pairs == pytest.approx(case.expected["mean_total_n"], rel=case.tolerance["rel_mean_n"])


@functools.cache
def information_paths(effect: float, looks: int) -> tuple[Values, Values]:
    """Z at equal steps of information up to 1, where the planned effect has the mean DESIGN."""
    rng = np.random.default_rng([61, round(effect * 10), looks])
    information = np.arange(1, looks + 1) / looks
    steps = rng.standard_normal((RUNS, looks)) * math.sqrt(1 / looks) + effect * DESIGN / looks
    return np.asarray(steps.cumsum(axis=1) / np.sqrt(information)), information


def power_bound(engine: str, information: Values, alpha: float) -> Values:
    if engine == "naive z":
        return np.full_like(information, -special.ndtri(alpha / 2))
    if engine == "fixed horizon":
        return np.where(information == 1.0, -special.ndtri(alpha / 2), np.inf)
    if engine.startswith("GST"):
        spending = OBRIEN_FLEMING if "OBF" in engine else power_family(2.0)
        looks = [Look(t, t) for t in information.tolist()]
        return critical_values(looks, alpha, spending=spending, sides=2)
    found = re.match(r"mixture tau=([\d.]+)MDE", engine)
    assert found
    r = (float(found[1]) * DESIGN) ** 2 * information
    return anytime.two_sided_critical(r[:, None], alpha)


def power(case: Reference) -> None:
    inputs = case.inputs
    engine = inputs["engine"]
    looks = int(engine.split()[-1]) if engine.startswith("GST") else 400
    z, information = information_paths(inputs["k"], looks)
    bound = power_bound(engine, information, inputs["alpha"])
    if looks == 400:
        bound = np.where(information <= 0.02, np.inf, bound)
    reject, used = stopped(z, bound, information, two_sided=True)
    assert reject == pytest.approx(case.expected["reject"], abs=case.tolerance["abs_reject"])
    assert used == pytest.approx(case.expected["mean_info"], abs=case.tolerance["abs_mean_info"])


def halt(case: Reference) -> None:
    """Batches of users of both arms, each user failing or not, until the exact evidence reaches 100."""
    share, rate, factor = (float(part.split("=")[1]) for part in case.inputs["case"].split()[1:])
    rng = np.random.default_rng(round(1e4 * share + 1e3 * factor))
    runs, steps = 1000, 500
    horizon = 1.6 * (case.expected["T_users_p90"] or 1000.0 * share / rate)
    size = max(round(horizon / steps), 1)
    t = rng.binomial(size, min(rate * factor, 1.0), (runs, steps)).cumsum(axis=1)
    c = rng.binomial(round(size * (1 - share) / share), rate, (runs, steps)).cumsum(axis=1)
    reached = events.ratio_log_e(t[..., None], c[..., None], np.full((runs, steps, 1), share))[..., 0] >= math.log(100)
    ever = reached.any(axis=1)
    if case.expected["T_users_median"] is None:
        assert ever.mean() == pytest.approx(case.expected["halt"], abs=case.tolerance["abs_halt"])
        return
    users = np.where(ever, size * (np.argmax(reached, axis=1) + 1.0), np.inf)
    for name, quantile in (("T_users_median", 0.5), ("T_users_p90", 0.9)):
        assert np.quantile(users, quantile) == pytest.approx(case.expected[name], rel=case.tolerance["rel"])


CHECKS: dict[str, Callable[[Reference], None]] = {"oc.spotify": spotify, "oc.power": power, "oc.halt": halt}


@pytest.mark.parametrize("case", references("oc"))
def test_stops_as_often_and_as_soon_as_the_reference(case: Reference) -> None:
    CHECKS[".".join(case.id.split(".")[:2])](case)
