"""How many queries each list needs, whatever its length: a table that catches one query a row."""

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.experiments.drafts import draft
from tests.people import Caller

QUERIES = {
    "backends": 3,
    "endpoints": 3,
    "layers": 4,
    "metrics": 3,
    "experiments": 7,
    "edges": 2,
    "routing-tables": 3,
    "experiments/draft-0/decisions": 3,
    "experiments/draft-0/analyses": 3,
}


@pytest.mark.parametrize(("path", "queries"), QUERIES.items(), ids=list(QUERIES))
@pytest.mark.parametrize("rows", [1, 5])
def test_a_list_needs_a_fixed_number_of_queries(
    path: str, queries: int, rows: int, viewer: Caller, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(rows):
        draft(f"draft-{number}", traffic=10)
    viewer.get("metrics")
    with django_assert_num_queries(queries):
        assert viewer.get(path).status_code == 200
