"""What an Envoy that was killed left of a line hides none of the lines behind it."""

import json

import pytest

from routing.access_log import to_row
from routing.envoy.access_log import LINE
from tests.factories.log_lines import make_line

KEY = b"k" * 32
HALF = b'{"accepted":"text/html","answered_by":"backend\\nstable","facts":{"backend":"sta'


def of_today() -> bytes:
    """A line that begins with the first of all fields, in the alphabetical order in which Envoy writes them."""
    first = min(LINE)
    return json.dumps({first: None, **json.loads(make_line(**{first: None}))}, separators=(",", ":")).encode()


@pytest.mark.parametrize("half", [HALF[:1], HALF[:9], HALF[:30], HALF, HALF + HALF])
@pytest.mark.parametrize("whole", [of_today(), make_line()], ids=["today's", "an earlier one"])
def test_the_line_behind_half_a_line_is_read(half: bytes, whole: bytes) -> None:
    assert to_row(half + whole, "local", KEY) == to_row(whole, "local", KEY)
