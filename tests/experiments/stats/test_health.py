"""Each thing that can be wrong with a rollout's records has its finding, and a sound rollout has none."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.stats.core.errors import InvalidEvidence, StatisticsError
from experiments.stats.core.types import Finding, UnitSums
from experiments.stats.health import (
    HealthEvidence,
    Overlap,
    Severity,
    Stage,
    check_health,
    checked,
    incomparable,
    overlap_of,
)
from experiments.stats.health.imbalance import imbalance_findings, imbalances
from experiments.stats.health.missing import missing_findings, outcome_gaps
from experiments.stats.health.overlap import overlap_findings
from experiments.stats.health.records import identical_findings
from experiments.stats.health.shares import leak_findings, ratio_findings, segments_log_e, stages_log_e
from tests.experiments.stats.samples import share, sums

HALVES = {"control": 0.5, "new": 0.5}


def even(units: int) -> dict[str, int]:
    return {"control": units, "new": units}


def codes(evidence: HealthEvidence) -> list[str]:
    return [found.code for found in check_health(evidence)]


def sound() -> HealthEvidence:
    rng = np.random.default_rng(5)
    before = {"requests": {arm: sums(rng.normal(5.0, 2.0, 3000)) for arm in HALVES}}
    return HealthEvidence(
        control="control",
        stages=(
            Stage("5 %", {"control": 0.95, "new": 0.05}, {"control": 1900, "new": 100}),
            Stage("50 %", HALVES, even(4000), {("country", "de"): even(2000), ("country", "fr"): even(2000)}),
        ),
        overlap=Overlap(10_000, 4, {("control", "new"): 4}),
        before=before,
        sums={"latency": {arm: sums(rng.lognormal(0.0, 1.0, 3000)) for arm in HALVES}},
        outcomes={"control": share(5900, 5800), "new": share(4100, 4030)},
        units_before=even(4000),
    )


def test_a_sound_rollout_has_no_findings() -> None:
    assert check_health(sound()) == ()


def test_shares_that_change_between_stages_are_no_mismatch() -> None:
    stages = [
        Stage("1 %", {"control": 0.99, "new": 0.01}, {"control": 9900, "new": 100}),
        Stage("50 %", HALVES, even(5000)),
    ]
    assert stages_log_e(stages) < 0.0
    pooled = Stage("pooled", HALVES, {"control": 14_900, "new": 5100})
    assert codes(HealthEvidence("control", (pooled,))) == ["sample-ratio"]


def test_a_mismatch_too_small_for_each_stage_is_found_over_all() -> None:
    part = Stage("part", HALVES, {"control": 5170, "new": 4830})
    assert codes(HealthEvidence("control", (part,))) == []
    assert codes(HealthEvidence("control", (part, part))) == ["sample-ratio"]


def test_the_worst_segment_is_named() -> None:
    segments = {("platform", name): even(2500) for name in ("web", "ios", "watch")}
    segments[("platform", "android")] = {"control": 2800, "new": 2200}
    findings = check_health(HealthEvidence("control", (Stage("50 %", HALVES, even(10_000), segments),)))
    assert [(found.code, found.subject) for found in findings] == [("segment-sample-ratio", "platform=android")]


def test_many_segments_need_more_evidence_each() -> None:
    """One segment with an e-value between 1000 and 100 · 1000 is a finding alone, but not among a hundred."""
    odd = {("country", "de"): {"control": 2660, "new": 2340}}
    log_e = segments_log_e([Stage("50 %", HALVES, {}, odd)])[("country", "de")]
    assert math.log(1000) < log_e < math.log(100_000)
    alone = Stage("50 %", HALVES, {}, odd)
    among = replace(alone, segments={**odd, **{("country", str(number)): even(50) for number in range(99)}})
    assert codes(HealthEvidence("control", (alone,))) == ["segment-sample-ratio"]
    assert codes(HealthEvidence("control", (among,))) == []


def test_an_unknown_variant_and_one_of_share_zero_are_leaks_of_their_stage_only() -> None:
    first = Stage("first", {"control": 0.5, "new": 0.5, "late": 0.0}, {**even(500), "late": 1})
    second = Stage("second", {"control": 0.4, "new": 0.4, "late": 0.2}, {**even(400), "late": 200, "ghost": 2})
    findings = check_health(HealthEvidence("control", (first, second)))
    assert [(found.code, found.subject) for found in findings] == [("leak", "late"), ("leak", "ghost")]
    assert "stage first" in findings[0].detail


def test_units_in_several_arms_are_counted_by_pair() -> None:
    exposures = [("a", "x"), ("a", "y"), ("a", "z"), ("b", "y"), ("c", "z"), ("c", "z"), ("d", "y"), ("d", "z")]
    overlap = overlap_of(*zip(*exposures, strict=True))
    assert overlap == Overlap(4, 2, {("x", "y"): 1, ("x", "z"): 1, ("y", "z"): 2})


def test_more_than_a_handful_of_units_in_several_arms_is_a_finding() -> None:
    def found(units: int, several: int) -> list[str]:
        return codes(HealthEvidence("control", overlap=Overlap(units, several, {("control", "new"): several})))

    assert found(100_000, 120) == []
    assert found(100_000, 150) == ["units-in-several-arms"]
    assert found(200, 3) == []


def test_arms_that_differed_before_exposure_are_a_finding() -> None:
    rng = np.random.default_rng(8)
    heavy, alike = rng.normal(5.3, 2.0, 4000), rng.normal(5.0, 2.0, 4000)
    before = {
        "requests": {"control": sums(rng.normal(5.0, 2.0, 4000)), "new": sums(heavy)},
        "cost": {"control": sums(rng.normal(5.0, 2.0, 4000)), "new": sums(alike)},
    }
    findings = check_health(HealthEvidence("control", before=before))
    assert [found.subject for found in findings] == ["requests, new"]
    assert [found.code for found in findings] == ["pre-period-imbalance"]


def test_imbalance_is_corrected_for_the_number_of_metrics() -> None:
    control, odd = share(5000, 2500), share(5000, 2675)
    alone = imbalances({"odd": {"control": control, "new": odd}}, "control")[0]
    among = {f"even-{number}": {"control": control, "new": control} for number in range(9)}
    together = imbalances({"odd": {"control": control, "new": odd}, **among}, "control")[0]
    assert together.adjusted_p_value == pytest.approx(10 * alone.p_value)
    assert together.adjusted_p_value > 0.001 > alone.adjusted_p_value


def test_lost_outcomes_of_the_slow_arm_are_a_finding() -> None:
    outcomes = {"control": share(5000, 4900), "new": share(5000, 4780), "other": share(5000, 4890)}
    findings = check_health(HealthEvidence("control", outcomes=outcomes))
    assert [(found.code, found.subject) for found in findings] == [("missing-outcomes", "new")]
    assert "outcomes of new are lost" in findings[0].next_step


def test_lost_outcomes_of_the_control_blame_the_control() -> None:
    outcomes = {"control": share(5000, 4500), "new": share(5000, 4900)}
    assert "outcomes of control are lost" in check_health(HealthEvidence("control", outcomes=outcomes))[0].next_step


def test_few_missing_outcomes_are_not_yet_judged() -> None:
    gaps = outcome_gaps({"control": share(90, 90), "new": share(90, 40)}, "control")
    assert (gaps[0].log_e_value, gaps[0].p_value) == (0.0, 1.0)


def test_counts_that_fall_are_a_warning() -> None:
    evidence = replace(sound(), units_before={"control": 5900, "new": 4200})
    findings = check_health(evidence)
    assert [(found.code, found.subject, found.severity) for found in findings] == [
        ("units-fell", "new", Severity.WARNING)
    ]


def test_one_stream_under_two_names_is_a_finding() -> None:
    arm = sums(np.random.default_rng(2).lognormal(0.0, 1.0, 500))
    other = sums(np.random.default_rng(3).lognormal(0.0, 1.0, 500))
    assert codes(HealthEvidence("a", sums={"latency": {"a": arm, "b": other, "c": arm}})) == ["identical-streams"]
    assert codes(HealthEvidence("a", sums={"errors": {"a": share(500, 20), "b": share(500, 20)}})) == []


def test_what_blocks_promotion_comes_first() -> None:
    stage = Stage("50 %", HALVES, {"control": 5400, "new": 4600, "ghost": 1})
    evidence = HealthEvidence("control", (stage,), units_before={"control": 6000, "new": 4600})
    findings = check_health(evidence)
    assert [found.code for found in findings] == ["leak", "sample-ratio", "units-fell"]
    assert [found.severity for found in findings][-1] is Severity.WARNING


def test_every_finding_has_evidence_and_a_next_step() -> None:
    stage = Stage("50 %", HALVES, {"control": 5400, "new": 4600, "ghost": 1}, {("os", "a"): {"control": 900}})
    arm = sums(np.random.default_rng(2).lognormal(0.0, 1.0, 500))
    evidence = HealthEvidence(
        "control",
        (stage,),
        overlap=Overlap(1000, 90, {("control", "new"): 90}),
        before={"cost": {"control": arm, "new": share(500, 5)}},
        sums={"latency": {"control": arm, "new": arm}},
        outcomes={"control": share(5000, 4900), "new": share(5000, 4000)},
        units_before={"control": 6000},
    )
    findings = check_health(evidence)
    assert len(findings) == len({found.code for found in findings}) == 8

    def has_evidence(found: Finding) -> bool:
        return found.p_value is not None or found.log_e_value is not None

    assert all(has_evidence(found) and found.detail.endswith(".") and found.next_step for found in findings)


counts = st.one_of(st.integers(-5, 10**7), st.just(0), st.floats(allow_nan=True, allow_infinity=True))
names = st.sampled_from(["control", "new", "holdout", "ghost"])
portions = st.one_of(st.sampled_from([0.0, 0.05, 0.5, 0.95, 1.0]), st.floats())
moments = st.one_of(st.floats(-1e6, 1e6), st.floats(), st.just(0.0))
any_sums = st.builds(UnitSums, counts, moments, moments, moments, moments, moments)
stages = st.builds(
    Stage,
    st.just("one"),
    st.one_of(st.just(HALVES), st.just({**HALVES, "holdout": 0.0}), st.dictionaries(names, portions)),
    st.dictionaries(names, counts),
    st.dictionaries(st.tuples(st.just("os"), st.sampled_from(["a", "b"])), st.dictionaries(names, counts)),
)
anything = st.builds(
    HealthEvidence,
    control=names,
    stages=st.lists(stages, max_size=2).map(tuple),
    overlap=st.one_of(st.none(), st.builds(Overlap, counts, counts, st.just({("a", "b"): 1}))),
    before=st.dictionaries(st.just("cost"), st.dictionaries(names, any_sums)),
    sums=st.dictionaries(st.just("cost"), st.dictionaries(names, any_sums)),
    outcomes=st.dictionaries(names, any_sums),
    units_before=st.dictionaries(names, counts),
)


@given(anything)
def test_nonsense_is_judged_or_said_to_be_none(evidence: HealthEvidence) -> None:
    for found in check_health(evidence):
        assert found.p_value is None or 0.0 <= found.p_value <= 1.0
        assert found.log_e_value is None or math.isfinite(found.log_e_value)
        assert found.detail.endswith(".")
        assert found.next_step


@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 3000))
def test_any_shares_of_outcomes_are_judged(units: int, missing: int, other_units: int, other_missing: int) -> None:
    outcomes = {
        "control": share(units, max(units - missing, 0)),
        "new": share(other_units, max(other_units - other_missing, 0)),
    }
    for gap in outcome_gaps(outcomes, "control"):
        assert math.isfinite(gap.log_e_value)
        assert 0.0 <= gap.p_value <= 1.0


NONE = {"control": math.nan}


@pytest.mark.parametrize(
    ("evidence", "subjects", "why"),
    [
        (
            HealthEvidence("control", (Stage("one", {"control": 0.7, "new": 0.7}, {}),)),
            ["Users where none should come", "The split of users"],
            "are not a split of all units.",
        ),
        (
            HealthEvidence("control", (Stage("one", HALVES, {"control": -1}),)),
            ["Users where none should come", "The split of users"],
            "A count is negative or no whole number.",
        ),
        (
            HealthEvidence("control", (Stage("one", HALVES, {}, {("os", "a"): NONE}),)),  # type: ignore[dict-item]
            ["The split of users in each segment"],
            "A count is negative or no whole number.",
        ),
        (
            HealthEvidence("control", overlap=Overlap(5, 6, {("control", "new"): 6})),
            ["Users in several variants"],
            "Units in several arms and in pairs of arms contradict each other.",
        ),
        (
            HealthEvidence("control", before={"cost": {"new": share(9, 1)}}),
            ["The time before the start"],
            "Nothing is counted of the control 'control' yet.",
        ),
        (
            HealthEvidence("control", sums={"cost": {"new": UnitSums(9, math.inf, 9, 9, 9, 9)}}),
            ["The counts of cost"],
            "Sums over units are not finite, or contradict each other.",
        ),
        (
            HealthEvidence("control", outcomes={"control": UnitSums(9, 12, 9, 16, 9, 12)}),
            ["Lost outcomes"],
            "An arm has more outcomes than requests, or fewer than none.",
        ),
    ],
)
def test_what_a_check_cannot_digest_is_a_finding_that_says_so(
    evidence: HealthEvidence, subjects: list[str], why: str
) -> None:
    findings = check_health(evidence)
    assert [(found.code, found.subject) for found in findings] == [("not-checked", subject) for subject in subjects]
    for found in findings:
        assert found.detail.startswith(f"{found.subject} could not be checked: ")
        assert found.detail.endswith(why)
        assert found.severity is Severity.BLOCKS_PROMOTION


def test_a_check_that_cannot_digest_its_evidence_hides_no_other() -> None:
    """One metric without finite sums beside a leak, a broken split, users in two arms, and a stream reported twice."""
    twice = sums(np.random.default_rng(2).lognormal(0.0, 1.0, 500))
    broken = UnitSums(9, math.inf, 9, math.inf, 9, math.inf)
    evidence = HealthEvidence(
        "control",
        (Stage("50 %", HALVES, {"control": 5400, "new": 4600, "ghost": 1}),),
        overlap=Overlap(1000, 90, {("control", "new"): 90}),
        sums={"revenue": {"control": broken, "new": broken}, "latency": {"control": twice, "new": twice}},
    )
    assert sorted(codes(evidence)) == [
        "identical-streams",
        "leak",
        "not-checked",
        "sample-ratio",
        "units-in-several-arms",
    ]


def test_a_check_that_fails_in_an_unforeseen_way_is_a_finding_too() -> None:
    def stumbles() -> list[Finding]:
        return [sound().units_before["nobody"]]  # type: ignore[list-item]

    [found] = checked("The split at each edge", stumbles)
    assert found.detail == "The split at each edge could not be checked: KeyError: 'nobody'."
    assert (found.code, found.severity) == ("not-checked", Severity.BLOCKS_PROMOTION)


@pytest.mark.parametrize(
    ("check", "code"),
    [
        (lambda: leak_findings([Stage("one", {"control": 0.7, "new": 0.7}, {})]), "shares-sum"),
        (lambda: ratio_findings([Stage("one", HALVES, {"control": -1})]), "counts-invalid"),
        (lambda: overlap_findings(Overlap(5, 6, {("control", "new"): 6})), "overlap-impossible"),
        (lambda: imbalance_findings({"cost": {"new": share(9, 1)}}, "control"), "control-missing"),
        (lambda: identical_findings({"cost": {"new": UnitSums(9, math.nan, 9, 9, 9, 9)}}), "sums-invalid"),
        (
            lambda: missing_findings({"control": UnitSums(9, 12, 9, 16, 9, 12)}, "control"),
            "outcomes-exceed-requests",
        ),
    ],
)
def test_a_single_check_refuses_impossible_evidence_by_name(check: Callable[[], Iterator[Finding]], code: str) -> None:
    with pytest.raises(StatisticsError) as caught:
        list(check())
    assert caught.value.code == code


def test_exposures_of_different_lengths_are_refused() -> None:
    with pytest.raises(InvalidEvidence, match="differ in length"):
        overlap_of(["ann", "bob"], ["new"])


@pytest.mark.parametrize(("name", "code"), [("alpha", "alpha-range"), ("tolerance", "tolerance-range")])
def test_a_setting_out_of_range_is_refused(name: str, code: str) -> None:
    with pytest.raises(StatisticsError) as caught:
        check_health(sound(), **{name: 1.5})
    assert caught.value.code == code


sizes = st.sampled_from([1e-100, 1e-9, 1.0, 1e9, 1e100])
values = st.builds(lambda value, size: value * size, st.integers(-3, 3), sizes)
true_sums = st.lists(values, min_size=1, max_size=3).map(lambda some: UnitSums.of(np.repeat(some, 60)))


@given(true_sums, true_sums)
def test_any_past_is_judged(control: UnitSums, new: UnitSums) -> None:
    for found in imbalances({"cost": {"control": control, "new": new}}, "control"):
        assert 0.0 <= found.p_value <= found.adjusted_p_value <= 1.0


def test_a_constant_past_is_balanced_and_a_shifted_constant_is_not() -> None:
    """Sums of 0.1 differ by rounding between arms of different size, which must not count as a difference."""
    constant, larger = UnitSums.of(np.full(300, 0.1)), UnitSums.of(np.full(700, 0.1))
    assert imbalances({"cost": {"control": constant, "new": larger}}, "control")[0].p_value == 1.0
    shifted = UnitSums.of(np.full(700, 0.2))
    assert imbalances({"cost": {"control": constant, "new": shifted}}, "control")[0].p_value < 1e-12


def test_a_metric_of_which_nobody_can_say_how_often_it_is_known_hides_no_other() -> None:
    """More known values than requests beside a metric that one arm tells half as often."""
    told, half = share(500, 500), share(500, 250)
    broken = UnitSums(9, 12, 9, 16, 9, 12)
    apart = incomparable(
        {"latency": {"control": broken, "new": told}, "cost": {"control": told, "new": half}}, "control"
    )
    assert list(apart.gaps) == [("cost", "new")]
    found = list(apart.findings())
    assert [(each.code, each.subject) for each in found] == [
        ("not-checked", "How often latency is known"),
        ("unknown-by-arm", "cost"),
    ]
