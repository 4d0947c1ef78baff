"""A table without what an edge took out."""

from dataclasses import replace

from routing.guard import Cut, without
from routing.table import Arm, RunningExperiment, problems, segments
from tests.factories.tables import make_endpoint, make_experiment, make_table

EXPERIMENT = make_experiment("canary", Arm("old", "stable", 0, 5_000), Arm("new", "candidate", 5_000, 10_000))
TABLE = make_table(make_endpoint("chat", EXPERIMENT), make_endpoint("search", path_prefix="/search"), version=4)
THREE = make_experiment(
    "canary",
    Arm("old", "stable", 0, 4_000),
    Arm("new", "candidate", 4_000, 7_000),
    Arm("newer", "candidate", 7_000, 10_000),
)
CUT = Cut("canary", "new", 0, "2026-01-01T00:00:00Z", 20, 15, 20, 0)


def test_its_users_get_the_endpoints_backend_unmeasured_and_the_controls_stay() -> None:
    table = without(TABLE, [CUT])

    parts = segments(table.endpoints[0])
    assert [(part.weight, part.backend, part.variant) for part in parts] == [
        (5_000, "stable", "old"),
        (5_000, "stable", None),
    ]
    assert (table.version, table.cut, problems(table)) == (4, ("canary/new",), ())
    assert table.endpoints[1] == TABLE.endpoints[1]


def given_back(variant: str) -> RunningExperiment:
    arms = [replace(arm, guard_round=1) if arm.variant == variant else arm for arm in THREE.arms]
    return replace(THREE, arms=tuple(arms))


def test_what_was_given_back_is_in_again_and_disturbs_no_other() -> None:
    table = replace(TABLE, endpoints=(make_endpoint("chat", given_back("new")),))
    other = replace(CUT, variant="newer")

    assert without(table, [CUT]) == table
    assert without(table, [CUT, other]).cut == ("canary/newer",)


def test_what_has_ended_changes_nothing() -> None:
    ended = make_table(make_endpoint("chat"))

    assert without(ended, [CUT]) is ended
