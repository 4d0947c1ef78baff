"""Traffic over time shows each variant's requests as stairs, and below them the share that failed."""

import pytest

from experiments.charts.traffic_over_time import TrafficStep, traffic_over_time
from tests.experiments.charts.drawings import drawn, words

VARIANTS = ["control", "better"]


def steps(failed: float | None = 0.1) -> list[TrafficStep]:
    return [
        TrafficStep(variant, 60.0 * number, 60.0 * number + 60, 100 + number, failed)
        for number in range(5)
        for variant in VARIANTS
    ]


def test_it_names_the_variants_the_steps_and_the_time() -> None:
    said = words(drawn(traffic_over_time(steps(), VARIANTS, "minute", width=800)))
    assert {"control", "better", "requests each minute", "failed, %", "minutes since the start"} <= set(said)


def test_both_ends_of_a_step_have_its_height() -> None:
    values = traffic_over_time(steps(), VARIANTS, "minute", width=800)["data"]["values"]
    first = [(each["time"], each["rate"], each["failed"]) for each in values if each["variant"] == "better"][:4]
    assert first == [(0, 100, 10), (1, 100, 10), (1, 101, 10), (2, 101, 10)]


@pytest.mark.parametrize("width", [320, 800])
def test_it_is_as_wide_as_its_place(width: int) -> None:
    found = drawn(traffic_over_time(steps(), VARIANTS, "minute", width=width))
    assert float(found.attrib["width"]) == pytest.approx(width, abs=12)


def test_what_is_not_known_is_not_drawn() -> None:
    drawn(traffic_over_time(steps(None), VARIANTS, "minute", width=320))
