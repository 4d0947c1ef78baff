"""The effect over time shows the ramp, the bands and what is not known yet."""

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.charts.effect_over_time import WIDEST, EffectPoint, StageSpan, effect_over_time
from experiments.stats.core.types import Interval
from tests.experiments.charts.drawings import drawn, width, words

STAGES = [StageSpan(0, 60, "5 %"), StageSpan(60, 600, "100 %")]


def point(seconds: float, effect: float = 0.1, half: float = 0.05) -> EffectPoint:
    return EffectPoint(
        seconds, effect, Interval(effect - half, effect + half), Interval(effect - 2 * half, effect + 2 * half)
    )


def test_the_stages_are_named_by_their_coverage() -> None:
    drawing = drawn(effect_over_time([point(30), point(300)], STAGES, None, width=800))
    assert {"5 %", "100 %"} <= set(words(drawing))
    assert width(drawing) == 800


@pytest.mark.parametrize(
    ("seconds", "unit"),
    [(600, "minutes"), (3 * 3600, "hours"), (5 * 86_400, "days"), (90, "seconds"), (0.5, "seconds")],
)
def test_time_is_in_a_unit_that_fits(seconds: float, unit: str) -> None:
    spec = effect_over_time([point(0), point(seconds)], [StageSpan(0, seconds, "5 %")], None, width=320)
    assert f"{unit} since the start" in words(drawn(spec))


def test_an_early_interval_without_meaning_does_not_flatten_the_rest() -> None:
    points = [point(0, half=50.0), *(point(10.0 * number) for number in range(1, 40))]
    low, high = effect_over_time(points, STAGES, None, width=800)["encoding"]["y"]["scale"]["domain"]
    assert (low, high) == (pytest.approx(-0.24), pytest.approx(0.24))


def test_unknown_means_that_everything_is_possible() -> None:
    spec = effect_over_time([EffectPoint(1, 0.1, None, None), point(2)], STAGES, None, width=800)
    limit = spec["encoding"]["y"]["scale"]["domain"][1]
    first = spec["data"]["values"][0]
    assert (first["wing_low"], first["wing_high"]) == (-limit, limit)


def test_one_point_alone_can_be_seen() -> None:
    marks = [layer["mark"]["type"] for layer in effect_over_time([point(1)], STAGES, None, width=800)["layer"]]
    assert "point" in marks
    more = [layer["mark"]["type"] for layer in effect_over_time([point(1), point(2)], STAGES, None, width=800)["layer"]]
    assert "point" not in more


effects = st.floats(-1e6, 1e6)
ends = st.one_of(effects, st.sampled_from([-inf, inf]))
spans = st.one_of(st.none(), st.tuples(ends, ends).map(lambda pair: Interval(min(pair), max(pair))))
points = st.lists(st.builds(EffectPoint, st.floats(0, 1e7), effects, spans, spans), min_size=1, max_size=20)


@given(points.map(lambda found: sorted(found, key=lambda one: one.seconds)), st.sampled_from([None, Interval(0, 0.1)]))
@settings(max_examples=200)
def test_bands_stay_within_the_picture(found: list[EffectPoint], accepted: Interval | None) -> None:
    spec = effect_over_time(found, STAGES, accepted, width=800)
    limit = spec["encoding"]["y"]["scale"]["domain"][1]
    assert 0 < limit <= WIDEST
    for value in spec["data"]["values"]:
        assert -limit <= value["low"] <= value["high"] <= limit
        assert -limit <= value["wing_low"] <= value["wing_high"] <= limit
