"""Harm that heavy users alone meet: of them few are there, so that often none of those who fail was met yet."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.stats.core.types import (
    Evidence,
    JudgePlan,
    PastLooks,
    UnitSums,
    Verdict,
)
from experiments.stats.judging.judge import judge
from experiments.stats.metrics.heavy import heavy_total, heavy_totals
from tests.experiments.stats.samples import ERRORS, plan

MARGIN, HEAVY = 0.005, 40.0
FAILED_REQUESTS = replace(ERRORS, margin=MARGIN, counts_events=True)
RUNS, USERS = 200, 3000


def _sent(rng: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """One user in a hundred sends 40 requests, the others 1 to 7."""
    return np.where(rng.random(USERS) < 0.01, HEAVY, rng.integers(1, 8, USERS).astype(np.float64))


def _judged(rng: np.random.Generator, harm: float, failing: float = 0.002) -> Verdict:
    """Some requests of anybody fail, and heavy users of the candidate wholly, so that `harm` of all requests do."""
    sums, heavy = {}, {}
    for variant, part in (("control", 0.0), ("new", harm)):
        sent = _sent(rng)
        failed = rng.binomial(sent.astype(np.int64), failing).astype(np.float64)
        wholly = (sent == HEAVY) & (rng.random(USERS) < part * sent.mean() / (HEAVY * 0.01))
        sums["errors", variant] = UnitSums.of(np.where(wholly, sent, failed), sent)
        heavy["errors", variant] = float(heavy_totals(sent[None])[0])
    seen = Evidence({"control": USERS, "new": USERS}, sums, heavy)
    return judge(plan(FAILED_REQUESTS), seen, looks=PastLooks(last=True)).metrics[0].verdict


@pytest.mark.slow
@pytest.mark.parametrize("failing", [0.0, 0.002, 0.02])
def test_a_candidate_that_fails_some_heavy_users_at_its_margin_passes_as_rarely_as_is_promised(failing: float) -> None:
    rng = np.random.default_rng(13)
    passed = sum(_judged(rng, MARGIN, failing) is Verdict.PASS for _ in range(RUNS))

    # Of 5 % promised, with three standard errors of so few runs.
    assert passed / RUNS <= 0.05 + 3.0 * np.sqrt(0.05 * 0.95 / RUNS)


def _seen(users: int, heavy: float) -> tuple[JudgePlan, Evidence]:
    """Equal variants of users with two requests each, of which one in a thousand fails, and their heavy ones."""
    failed = np.zeros(users)
    failed[::500] = 1.0
    sums = UnitSums.of(failed, np.full(users, 2.0))
    names = {("errors", variant) for variant in ("control", "new")}
    return plan(FAILED_REQUESTS), Evidence(
        {"control": users, "new": users}, dict.fromkeys(names, sums), dict.fromkeys(names, heavy)
    )


def test_why_nothing_is_shown_yet_and_what_it_takes_is_told() -> None:
    judging, seen = _seen(10_000, heavy=60.0)
    found = judge(judging, seen, looks=PastLooks(last=True)).metrics[0]

    assert found.verdict is Verdict.INSUFFICIENT
    assert "ten users or more send about 60 requests each" in found.note
    # At the hypothesis the share that fails has the variance 0.005 · 60 / N and that of chance, of 0.001 in each.
    wanted = 1.645**2 * (MARGIN * 60.0 + 2.0 * 0.001) / MARGIN**2
    told = float(found.note.split("about ")[-1].split(" requests")[0].replace(",", ""))
    assert told == pytest.approx(wanted, rel=0.02)

    enough, more = _seen(int(wanted * 1.1 / 2.0), heavy=60.0)
    assert judge(enough, more, looks=PastLooks(last=True)).metrics[0].verdict is Verdict.PASS


def test_a_user_who_has_no_like_is_no_kind_of_users() -> None:
    requests = np.array([*[3.0] * 200, *[90.0] * 9])

    assert float(heavy_totals(requests[None])[0]) == 3.0
    assert float(heavy_totals(np.append(requests, 90.0)[None])[0]) == 90.0


def test_nothing_is_heavier_than_the_last_threshold() -> None:
    assert heavy_total([10] * 39) == 2.0**20 - 1.0
