"""The forest plot shows each interval where it is."""

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.charts.forest import ROW_HEIGHT, ForestRow, forest_plot
from experiments.charts.render import to_svg
from experiments.stats.core.types import Interval, Verdict
from tests.experiments.charts.drawings import SVG, drawn, lines_across, width, words

SOLID, WINGS = 5.0, 1.25
WIDE = 800
SHORT, LONG = Interval(0.05, 0.15), Interval(0.0, 0.2)


def row(
    effect: float = 0.1,
    interval: Interval | None = SHORT,
    anytime: Interval | None = LONG,
    accepted: Interval | None = None,
    label: str = "Latency",
    verdict: Verdict = Verdict.PASS,
) -> ForestRow:
    return ForestRow(label, effect, interval, anytime, accepted, verdict, f"{effect:+.0%}", "(an interval)")


def test_the_intervals_are_drawn_to_scale() -> None:
    drawing = drawn(
        forest_plot([row(interval=Interval(-0.5, 0.25), anytime=Interval(-1.0, 1.0), effect=-1.0)], width=WIDE)
    )
    [(left, right)] = lines_across(drawing, WINGS)
    [ends] = lines_across(drawing, SOLID)
    quarter = (right - left) / 4
    assert quarter > WIDE / 5
    assert ends == pytest.approx((left + quarter, left + 2.5 * quarter))


def test_what_goes_on_beyond_the_axis_ends_in_an_arrow_at_its_edge() -> None:
    open_ended = row(interval=Interval(-0.2, 0.4), anytime=Interval(-inf, inf))
    drawing = drawn(forest_plot([open_ended, row()], width=WIDE))
    wings = lines_across(drawing, WINGS)
    assert wings[0][0] < wings[1][0] < wings[1][1] < wings[0][1]
    values = forest_plot([open_ended, row()], width=WIDE)["data"]["values"]
    assert (values[0]["off_left"] is None, values[0]["off_right"] is None) == (False, False)
    assert (values[1]["off_left"], values[1]["off_right"]) == (None, None)


def test_an_effect_beyond_the_axis_is_an_arrow_and_still_a_number() -> None:
    huge = row(effect=4.0, interval=Interval(2.0, 6.0), anytime=Interval(1.5, 7.0))
    values = forest_plot([huge], width=WIDE)["data"]["values"][0]
    assert (values["effect"], values["low"], values["off_left"], values["off_right"]) == (None, None, None, 1.0)
    assert "+400% (an interval)" in words(drawn(forest_plot([huge], width=WIDE)))


def test_only_a_margin_is_hatched() -> None:
    with_margin = forest_plot([row(accepted=Interval(0.0, 0.1))], width=WIDE)
    hatched = [e for e in drawn(with_margin).iter(f"{SVG}path") if e.attrib.get("fill", "").startswith("url(#hatched-")]
    assert len(hatched) == 1
    plain = drawn(forest_plot([row()], width=WIDE))
    drawn_paths = [e for e in plain.iter(f"{SVG}path") if e.attrib.get("fill", "").startswith("url(") and e.attrib["d"]]
    assert all("NaN" not in e.attrib["d"] for e in drawn_paths)


@pytest.mark.parametrize(("across", "shown"), [(800, "+10% (an interval)"), (320, "+10%")])
def test_a_narrow_drawing_leaves_the_interval_to_the_table(across: int, shown: str) -> None:
    drawing = drawn(forest_plot([row()], width=across))
    assert shown in words(drawing)
    assert width(drawing) == across


def test_names_are_text_and_never_markup() -> None:
    svg = to_svg(forest_plot([row(label='<script>alert("1")</script>')], width=WIDE))
    assert "<script>" not in svg
    assert '<script>alert("1")</script>' in words(
        drawn(forest_plot([row(label='<script>alert("1")</script>')], width=WIDE))
    )


def test_colours_are_the_pages_own() -> None:
    svg = to_svg(forest_plot([row(verdict=Verdict.FAIL)], width=WIDE))
    assert "var(--bad)" in svg
    assert "var(--good)" not in svg
    assert "#000" not in svg


def test_two_drawings_on_a_page_do_not_share_a_pattern() -> None:
    patterns = {
        next(drawn(forest_plot([row()], width=across)).iter(f"{SVG}pattern")).attrib["id"] for across in (800, 320)
    }
    assert len(patterns) == 2


shares = st.floats(-1e6, 1e6)
ends = st.one_of(shares, st.sampled_from([-inf, inf]))
spans = st.one_of(st.none(), st.tuples(ends, ends).map(lambda pair: Interval(min(pair), max(pair))))


@given(st.lists(st.builds(row, effect=shares, interval=spans, anytime=spans), min_size=1, max_size=6))
@settings(max_examples=200)
def test_whatever_is_measured_stays_on_the_axis(rows: list[ForestRow]) -> None:
    spec = forest_plot(rows, width=WIDE)
    limit = spec["layer"][0]["encoding"]["x"]["scale"]["domain"][1]
    assert 0 < limit <= 1
    assert spec["height"] == ROW_HEIGHT * len(rows)
    for value in spec["data"]["values"]:
        for name in ("effect", "low", "high", "wing_low", "wing_high", "off_left", "off_right"):
            assert value[name] is None or abs(value[name]) <= limit
        assert (value["low"] is None) == (value["high"] is None)


@given(st.builds(row, effect=shares, interval=spans, anytime=spans))
@settings(max_examples=20)
def test_whatever_is_measured_can_be_drawn(one: ForestRow) -> None:
    assert "Latency" in words(drawn(forest_plot([one], width=WIDE)))
