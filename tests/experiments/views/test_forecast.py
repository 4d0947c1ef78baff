"""What a draft's page says of its plan."""

import pytest
from django.test import Client

from controlplane.models import Role
from controlplane.problems.errors import Unavailable
from experiments.forecast import forecast, read_stated
from tests.experiments.views.findings import planned, running
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db

FORECAST = "/experiments/canary/forecast"
STATED = read_stated(
    {
        "users_per_hour": 500,
        "baselines": {
            "requests-per-user": {"value": 4, "standard_deviation": 3},
            "error-rate": {"value": 0.02, "requests_per_user": 4},
        },
    }
)


@pytest.fixture
def browser() -> Client:
    return visitor(Role.VIEWER)


def part(browser: Client) -> str:
    answer = browser.get(FORECAST, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_draft_asks_for_it_after_the_page(browser: Client) -> None:
    planned()
    assert f'hx-get="{FORECAST}" hx-trigger="load"' in text(browser, "/experiments/canary")


def test_a_started_one_has_results_in_its_place(browser: Client) -> None:
    running()
    assert "What this plan promises" not in text(browser, "/experiments/canary")


def test_without_history_it_says_what_to_do(browser: Client) -> None:
    planned()
    seen = part(browser)
    assert "send traffic to chat" in seen
    assert "/api/v1/experiments/canary/forecast" in seen
    assert "<table" not in seen


def test_scenarios_stand_in_a_table(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    planned()
    monkeypatch.setattr("experiments.views.forecast_page.forecast", lambda experiment: forecast(experiment, STATED))
    seen = part(browser)
    for words in (
        "Needs about ",
        "takes longest.",
        "smallest effect that matters",
        "error-rate +400 %",
        "simulated runs",
    ):
        assert words in seen
    assert "<html" not in seen
    assert "</html>" in text(browser, FORECAST)


def test_a_lake_that_does_not_answer_is_said(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    planned()

    def fail(_: object) -> None:
        raise Unavailable("lake-unavailable", "The lake cannot be read.", next_step="Try again.")

    monkeypatch.setattr("experiments.views.forecast_page.forecast", fail)
    assert "The lake cannot be read. Try again." in part(browser)


def test_an_unknown_experiment_is_not_found(browser: Client) -> None:
    text(browser, "/experiments/none/forecast", status=404)
