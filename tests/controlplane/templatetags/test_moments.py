"""A moment on a page."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.template.loader import render_to_string

from controlplane.templatetags.moments import moment

EXPECTED = '<time datetime="2026-03-05T07:08:09+00:00" title="2026-03-05 07:08:09 UTC">5 Mar 2026, 07:08:09</time>'


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30))])
def test_it_is_told_in_utc(zone: timezone) -> None:
    at = datetime(2026, 3, 5, 7, 8, 9, tzinfo=UTC).astimezone(zone)
    assert moment(at) == EXPECTED
    assert render_to_string("time.html", {"at": at}) == EXPECTED
