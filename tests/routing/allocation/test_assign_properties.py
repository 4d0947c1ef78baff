"""What must hold for every split: nobody moves, and the shares are right."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from routing.allocation.assign import assign
from routing.table import BUCKETS, Arm, Endpoint, RunningExperiment, covered, segments
from tests.factories.tables import make_endpoint, make_experiment

pytestmark = pytest.mark.slow

UNITS = [f"user-{number}" for number in range(50)]
SALTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@st.composite
def endpoints(draw: st.DrawFn) -> Endpoint:
    """Two experiments of two or three arms each, in disjoint spans with gaps anywhere."""
    count = draw(st.integers(2, 3))
    cuts = sorted(draw(st.lists(st.integers(0, BUCKETS), min_size=4 * count, max_size=4 * count, unique=True)))
    spans = list(zip(cuts[::2], cuts[1::2], strict=True))
    arms = [Arm(f"v{place}", f"b{place}", start, end) for place, (start, end) in enumerate(spans)]
    first = make_experiment("first", *arms[:count], coverage=draw(st.integers(0, BUCKETS)))
    second = make_experiment("second", *arms[count:], coverage=draw(st.integers(0, BUCKETS)))
    return make_endpoint("chat", first, second, salt=draw(SALTS))


def with_coverage(endpoint: Endpoint, coverage: int) -> Endpoint:
    first, second = endpoint.experiments
    return replace(endpoint, experiments=(replace(first, coverage=coverage), second))


@given(endpoints())
def test_the_segments_fill_all_buckets(endpoint: Endpoint) -> None:
    parts = segments(endpoint)

    assert sum(part.weight for part in parts) == BUCKETS
    assert all(part.weight > 0 for part in parts)


@given(endpoints(), st.integers(0, BUCKETS), st.integers(0, BUCKETS))
def test_raising_the_coverage_moves_no_measured_unit(endpoint: Endpoint, one: int, other: int) -> None:
    before = with_coverage(endpoint, min(one, other))
    after = with_coverage(endpoint, max(one, other))

    for unit in UNITS:
        assigned = assign(before, unit)
        if assigned.experiment is not None:
            assert assign(after, unit) == assigned


@given(endpoints())
def test_another_experiment_in_a_disjoint_span_moves_nobody(endpoint: Endpoint) -> None:
    first, _ = endpoint.experiments
    alone = replace(endpoint, experiments=(first,))

    for unit in UNITS:
        now = assign(endpoint, unit)
        if now.experiment != "second":
            assert now == assign(alone, unit)


@given(endpoints())
def test_who_is_not_in_gets_the_endpoints_own_backend(endpoint: Endpoint) -> None:
    for unit in UNITS:
        assigned = assign(endpoint, unit)
        assert (assigned.backend == endpoint.backend) == (assigned.experiment is None)


@given(st.integers(1, BUCKETS), st.integers(1, BUCKETS))
def test_coverage_is_rounded_to_the_nearest_bucket_and_never_to_none(width: int, coverage: int) -> None:
    inside = covered(Arm("v", "b", 0, width), coverage)

    assert abs(inside - width * coverage / BUCKETS) <= 0.5 or inside == 1
    assert 1 <= inside <= width


@given(st.integers(1, BUCKETS))
def test_no_coverage_is_nobody_and_full_coverage_is_everybody(width: int) -> None:
    arm = Arm("v", "b", 0, width)

    assert (covered(arm, 0), covered(arm, BUCKETS)) == (0, width)


def test_the_shares_of_a_hundred_thousand_users_are_those_of_the_plan() -> None:
    control, candidate = Arm("control", "stable", 1_000, 4_000), Arm("candidate", "candidate", 4_000, 9_000)
    endpoint = make_endpoint("chat", RunningExperiment("split", 0, 5_000, (control, candidate)))
    users = 100_000

    observed = Counter(assign(endpoint, f"user-{number}").variant for number in range(users))

    expected = {"control": 0.15 * users, "candidate": 0.25 * users, None: 0.6 * users}
    counts = [observed[variant] for variant in expected]
    assert stats.chisquare(counts, list(expected.values())).pvalue > 0.001


def test_two_salts_assign_independently() -> None:
    arms = (Arm("control", "stable", 0, 5_000), Arm("candidate", "candidate", 5_000, 10_000))
    one, other = (make_endpoint("chat", make_experiment("e", *arms), salt=salt) for salt in ("one", "other"))

    pairs = Counter(
        (assign(one, unit).variant, assign(other, unit).variant)
        for unit in (f"user-{number}" for number in range(20_000))
    )

    assert len(pairs) == 4
    assert stats.chisquare(list(pairs.values())).pvalue > 0.001
