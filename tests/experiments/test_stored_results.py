"""Rows of other releases, which stay in the database: what is read of them, and what cannot be."""

import json
from typing import Any

import pytest
from django.db import connection

from controlplane.models import Role
from controlplane.problems.errors import Unavailable
from controlplane.problems.problem import Problem
from experiments.stats.core.types import Finding, Severity, Verdict
from experiments.stored_results import Seen, read_counts, read_results, read_seen, write_results
from tests.experiments.views.findings import found, measured, running
from tests.experiments.views.test_detail import page
from tests.visitors.roles import visitor

FINDING = {
    "code": "leak",
    "severity": "blocks-promotion",
    "subject": "off",
    "sentence": "12 units are in off.",
    "next_step": "Find out who sent them there.",
    "p_value": None,
    "log_e_value": 700.0,
}
"""As the first release wrote one."""


def row(**changes: Any) -> dict[str, Any]:
    """A row as it is written now, with changes."""
    return {**write_results(found()), **changes}


def test_a_row_of_the_first_release_is_read() -> None:
    stored = row(findings=[FINDING])
    del stored["format"]
    problem = Problem("leak", "Leak", "12 units are in off.", "Find out who sent them there.")
    [finding] = read_results(stored).findings
    assert finding == Finding(problem, Severity.BLOCKS_PROMOTION, "off", log_e_value=700.0)
    assert write_results(read_results(stored))["findings"] == [FINDING]


def test_what_a_later_release_added_is_passed_over() -> None:
    stored = row(findings=[{**FINDING, "since": "today"}], outlook="fair")
    assert read_results(stored).findings[0].code == "leak"


@pytest.mark.parametrize(
    "broken", [{"format": 2}, {"format": "new"}, {"metrics": 3}, {"findings": [{}]}, {"halt": None}, {"metrics": [{}]}]
)
def test_what_cannot_be_read_is_a_problem(broken: dict[str, Any]) -> None:
    with pytest.raises(Unavailable) as refusal:
        read_results(row(**broken))
    assert refusal.value.code == "results-unreadable"


def test_a_look_is_read_though_the_rest_of_its_row_is_not() -> None:
    metric = {"metric": "errors", "variant": "new", "verdict": "pass", "information": 4.0, "information_fraction": 0.5}
    assert read_seen({"metrics": [metric]}) == (Seen("errors", "new", Verdict.PASS, 4.0, 0.5),)
    with pytest.raises(Unavailable):
        read_seen({"metrics": [{**metric, "verdict": "perhaps"}]})


METRIC = {"metric": "errors", "variant": "new", "verdict": "pass", "information": None, "information_fraction": None}


@pytest.mark.parametrize("untold", [[], [{**METRIC, "metric": "latency"}], [{**METRIC, "variant": "other"}]])
def test_a_look_that_does_not_tell_what_was_asked_is_not_read_as_one_that_spent_nothing(untold: Any) -> None:
    assert read_seen({"metrics": [METRIC]}, [("errors", "new")])[0].information is None
    with pytest.raises(Unavailable) as refusal:
        read_seen({"metrics": untold}, [("errors", "new")])
    assert "they do not tell of errors of new" in refusal.value.detail


@pytest.mark.parametrize("lacking", ["information", "information_fraction"])
def test_a_look_without_what_it_spent_is_not_read(lacking: str) -> None:
    with pytest.raises(Unavailable):
        read_seen({"metrics": [{name: value for name, value in METRIC.items() if name != lacking}]})


def test_counts_that_cannot_be_read_are_none() -> None:
    assert read_counts({"units": {"new": 3}}).units == {"new": 3}
    assert read_counts({"units": "many"}).units == {}


ODD = [json.loads('{"now": 1e999}'), {"now": "\ud800"}]
"""What SQLite takes for JSON, and no answer can say."""

COPY = """
INSERT INTO experiments_analysis
(results, at, look, stage_index, evidence, lake_version, table_version, code_version, experiment_id)
SELECT %s, at, look, stage_index, evidence, lake_version, table_version, code_version, experiment_id
FROM experiments_analysis WHERE id = %s
"""


@pytest.mark.parametrize("odd", ODD)
def test_numbers_beyond_all_floats_and_half_letters_cannot_be_read(odd: dict[str, Any]) -> None:
    with pytest.raises(Unavailable) as refusal:
        read_results(row(**odd))
    assert refusal.value.code == "results-unreadable"


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ODD)
def test_pages_and_answers_survive_what_only_a_database_takes_for_json(odd: dict[str, Any]) -> None:
    analysis = measured(running(), found())
    text = json.dumps(row(**odd)).replace("Infinity", "1e999")
    with connection.cursor() as cursor:
        cursor.execute(COPY, [text, analysis.pk])
    seen = page()
    assert "this release cannot read what was found." in seen
    answer = visitor(Role.VIEWER).get("/api/v1/experiments/canary/analyses").json()["results"]
    assert [(each["results"] is None, bool(each["broken"])) for each in answer] == [(True, True), (False, False)]


@pytest.mark.django_db
def test_a_page_does_without_results_that_cannot_be_read() -> None:
    analysis = measured(running(), found())
    analysis.pk, analysis.results = None, row(format=2)
    analysis.save(force_insert=True)
    seen = page()
    assert "Not checked yet" in seen
    assert "this release cannot read what was found." in seen
