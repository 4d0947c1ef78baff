"""The judge answers whatever was stored of looks before and whatever one metric's numbers do."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.stats.core.spending import Look
from experiments.stats.core.types import Evidence, PastLooks, Results, UnitSums, Verdict
from experiments.stats.judging import harm, shown
from experiments.stats.judging.judge import judge, watch
from tests.experiments.stats.samples import ERRORS, FAILED_USERS, LATENCY, THUMBS, evidence, plan, share, sums, together

pytestmark = pytest.mark.slow

NUMBERS = st.one_of(
    st.sampled_from([0.0, -1.0, math.nan, math.inf, -math.inf, 1e-320, 1e-160, 1e160, 1e308, 5e15]),
    st.floats(allow_nan=True, allow_infinity=True),
)
BAD_SUMS = st.builds(UnitSums, st.sampled_from([-5, 0, 1, 2, 500, 10**18]), NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
ANY_LOOK = st.builds(Look, NUMBERS, NUMBERS)
METRICS = (FAILED_USERS, ERRORS, LATENCY, THUMBS)
FLAT, RISING = np.ones(3000), np.arange(1.0, 3001.0)
SOUND = {
    "failed-users": evidence(FAILED_USERS, share(5000, 250), share(5000, 260)),
    "errors": evidence(ERRORS, sums(np.eye(60, 3000).sum(0), FLAT), sums(np.eye(61, 3000).sum(0), FLAT)),
    "latency": evidence(LATENCY, sums(RISING, FLAT), sums(RISING, FLAT)),
    "thumbs": evidence(THUMBS, share(5000, 2500), share(5000, 2600)),
}


def by_name(results: Results) -> dict[str, object]:
    return {result.metric: result for result in results.metrics}


@given(looks=st.lists(ANY_LOOK, max_size=8), last=st.booleans(), growing=st.booleans())
@settings(max_examples=200, deadline=None)
def test_whatever_looks_are_stored(looks: list[Look], *, last: bool, growing: bool) -> None:
    """Looks of an earlier release shrink, and a record may hold anything."""
    taken = sorted(looks, key=lambda look: look.information) if growing else looks
    past = PastLooks({("thumbs", "new"): tuple(taken)}, last=last)
    [found] = judge(plan(THUMBS), SOUND["thumbs"], looks=past).metrics
    assert found.p_value is not None
    assert 0.0 <= (found.information_fraction or 0.0) <= 1.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(bad=st.sampled_from(METRICS), control=BAD_SUMS, candidate=BAD_SUMS)
@settings(max_examples=200, deadline=None)
def test_the_numbers_of_one_metric_leave_all_others_as_they_are(
    bad: object, control: UnitSums, candidate: UnitSums
) -> None:
    judged = plan(*METRICS)
    [broken] = [metric for metric in METRICS if metric is bad]
    sound = together(*SOUND.values())
    cells = {(broken.key, "control"): control, (broken.key, "new"): candidate}
    found = by_name(judge(judged, replace(sound, sums={**sound.sums, **cells})))
    missing = by_name(judge(judged, together(*(SOUND[metric.key] for metric in METRICS if metric is not bad))))
    others = [metric.key for metric in METRICS if metric is not bad and metric.key != "thumbs"]
    assert [found[key] for key in others] == [missing[key] for key in others]


def test_sums_that_are_no_floats_are_the_trouble_of_their_own_row() -> None:
    harmed = evidence(FAILED_USERS, share(1000, 10), share(1000, 150))
    huge = UnitSums(500, 10**400, 500, 10**400, 500, 10**400)
    cells = {("latency", "control"): huge, ("latency", "new"): huge}
    results = judge(plan(FAILED_USERS, LATENCY), replace(harmed, sums={**harmed.sums, **cells}))
    assert results.halt.blamed == (("failed-users", "new"),)
    failed, latency = results.metrics
    assert failed.verdict is Verdict.FAIL
    assert (latency.verdict, latency.effect) == (Verdict.INSUFFICIENT, None)
    assert latency.note.startswith("It could not be judged: OverflowError")


@pytest.mark.parametrize("part", ["next_critical_value", "_under_hypothesis"])
def test_a_failure_in_one_cell_is_the_trouble_of_its_own_row(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recursion fails for one cell's looks, and so for all cells at once, as they are computed together."""
    past = PastLooks({("thumbs", "new"): (Look(1000.0, 0.5),)})
    rare = evidence(FAILED_USERS, share(5000, 3), share(5000, 2))
    module = (
        "experiments.stats.judging.looks"
        if part == "next_critical_value"
        else "experiments.stats.judging.noninferiority"
    )
    monkeypatch.setattr(f"{module}.{part}", _raising)
    results = judge(plan(ERRORS, THUMBS, FAILED_USERS), together(SOUND["errors"], SOUND["thumbs"], rare), looks=past)
    broken = "thumbs" if part == "next_critical_value" else "failed-users"
    for result in results.metrics:
        assert ("It could not be judged: ZeroDivisionError" in result.note) == (result.metric == broken)
        assert (result.p_value is None) == (result.metric == broken)


def _raising(*_: object, **__: object) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("part", [(shown, "present_look"), (harm, "PART_OF_LOOKS")])
def test_the_halt_needs_nothing_of_what_promotion_needs(
    part: tuple[object, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    harmed = evidence(FAILED_USERS, share(1000, 10), share(1000, 150))
    if part[1] == "present_look":
        monkeypatch.setattr(*part, _raising)
    assert watch(plan(FAILED_USERS), harmed).reached
    negative = Evidence({"control": -1, "new": 1000}, harmed.sums)
    assert watch(plan(FAILED_USERS), negative).reached


def test_evidence_beyond_all_measure_halts() -> None:
    """Every one of 10^18 users fails, and none of the control's."""
    certain = evidence(FAILED_USERS, share(10**18, 0), share(10**18, 10**18))
    stop = judge(plan(FAILED_USERS), certain).halt
    assert stop.reached
    assert math.isfinite(stop.log_e_value)


def test_rollouts_whose_variance_jumps_are_answered_at_every_look() -> None:
    """Looks at 400, 500 and 700 users of each arm; at the second, three requests are 60 times slower."""
    rng = np.random.default_rng(8)
    guardrail = replace(LATENCY, key="latency", margin=0.1)
    values = rng.normal(100.0, 20.0, (2, 700))
    values[:, 450:453] *= 60.0
    looks = PastLooks()
    for users in (400, 500, 700):
        measured = evidence(guardrail, *(UnitSums.of(arm[:users]) for arm in values))
        [found] = judge(plan(guardrail), measured, looks=looks).metrics
        assert found.critical_value is not None
        look = Look(found.information or 0.0, found.information_fraction or 0.0)
        looks = PastLooks({("latency", "new"): (*looks.taken.get(("latency", "new"), ()), look)})
    stored = [look.information for look in looks.taken["latency", "new"]]
    assert stored == sorted(stored)
