"""Titles of what is answered over HTTP are the names of its statuses, as RFC 9110 and the registry have them."""

from http import HTTPStatus

import pytest

from controlplane.api.problems import REFUSALS
from controlplane.install import front
from controlplane.problems import errors
from controlplane.problems.problem import TITLES
from routing.envoy.local_replies import problems

# RFC 9110, sections 15.5.14 and 15.5.21; Python's own list has the names of the RFCs before.
RENAMED = {413: "Content too large", 422: "Unprocessable content"}


@pytest.mark.parametrize("status", [status for status in TITLES if status not in RENAMED])
def test_a_title_is_what_http_calls_the_status(status: int) -> None:
    assert TITLES[status].lower() == HTTPStatus(status).phrase.lower()


def test_a_title_begins_with_the_only_capital() -> None:
    assert TITLES == TITLES | RENAMED
    assert all(title == title.capitalize() for title in TITLES.values())


def test_edge_front_and_api_say_the_same_of_a_status() -> None:
    of_edge = [(local.status, local.problem.title) for local in problems.PROBLEMS if local.status]
    of_front = [(status, problem.title) for status, problem in front.PROBLEMS.items()]
    of_api = [(kind.status_code, problem.title) for kind, problem in REFUSALS.items() if problem.code != "refused"]
    raised = [errors.InvalidInput, errors.TooLarge, errors.NotAllowed, errors.Missing, errors.Conflict]
    of_errors = [(kind.status, kind("some-code", "", next_step="").problem.title) for kind in raised]
    told = [*of_edge, *of_front, *of_api, *of_errors]
    assert len(told) > 40
    assert [(status, title) for status, title in told if title != TITLES[status]] == []
