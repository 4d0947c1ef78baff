"""A flag says what the edge would do."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from routing.assign import assign
from routing.ofrep.evaluation import evaluate, evaluate_all
from routing.table import Arm, parse_condition
from tests.routing.tables import make_endpoint, make_experiment, make_table

SPLIT = make_experiment(
    "canary", Arm("old", "stable", 0, 3_000), Arm("new", "candidate", 3_000, 6_000), stage=2, coverage=8_000
)
TARGETED = replace(
    make_experiment("german", Arm("control", "stable", 6_000, 7_000), Arm("de", "candidate", 7_000, 9_000)),
    audience=(parse_condition("x-country is DE"),),
)
CHAT = make_endpoint("chat", SPLIT, TARGETED)
CONTROLS = {"canary": "old", "german": "control"}
TABLE = make_table(CHAT, version=9)


@given(st.text(min_size=1), st.sampled_from([{}, {"x-country": "DE"}, {"x-country": "FR"}]))
def test_a_flag_is_the_edges_assignment(unit: str, headers: dict[str, str]) -> None:
    assigned = assign(CHAT, unit, headers)

    for found in evaluate_all(TABLE, unit, headers):
        taken_in = assigned.experiment == found.key
        assert found.variant == (assigned.variant if taken_in else None)
        assert found.reason == ("SPLIT" if taken_in else "DEFAULT")
        assert found.value == (
            assigned.variant or "" if taken_in else {"canary": "old", "german": "control"}[found.key]
        )
        assert found.metadata["backend"] == assigned.backend
        assert found == evaluate(TABLE, found.key, unit, headers)


def test_an_experiment_that_does_not_run_is_no_flag() -> None:
    assert evaluate(TABLE, "gone", "alice", {}) is None
