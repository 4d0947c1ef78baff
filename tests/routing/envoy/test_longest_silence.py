"""No endpoint waits for ever: what never answers is never logged, so that no guard and no metric would know of it."""

from dataclasses import replace

import pytest

from routing.envoy.actions import route_action
from routing.table import Limits
from tests.factories.tables import make_endpoint

FIVE_MINUTES = "300s"


@pytest.mark.parametrize(
    ("timeout_seconds", "limits", "silence"),
    [
        (0, Limits(), FIVE_MINUTES),
        (0, Limits(first_byte_seconds=2.0), FIVE_MINUTES),
        (0, Limits(first_byte_seconds=1_200.0), "1200s"),
        (0, Limits(idle_seconds=900.0), "900s"),
        (0, Limits(idle_seconds=30.0, first_byte_seconds=60.0), "60s"),
        (3_600, Limits(), "3600s"),
        (20, Limits(), "20s"),
    ],
)
def test_every_silence_ends(timeout_seconds: int, limits: Limits, silence: str) -> None:
    endpoint = replace(make_endpoint(timeout_seconds=timeout_seconds), limits=limits)
    assert float(route_action(endpoint)["idle_timeout"].removesuffix("s")) == float(silence.removesuffix("s"))
