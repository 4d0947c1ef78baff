"""Evidence that is carried from one tick to the next: what is read anew, and what a slow reference counts."""

import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.evidence import CollectedEvidence, MetricDefinition, collect_evidence
from experiments.evidence.edge_units import units_by_edge
from experiments.evidence.state.carried import Carried
from experiments.stats.core.types import Evidence, MetricType
from routing.lake import delta_tables, tidying
from routing.lake.schema import OUTCOMES, REQUESTS
from tests.experiments.evidence import events, reference
from tests.experiments.evidence.lakes import assert_same
from tests.factories.rows import START, request_row, store

Row = dict[str, Any]
OF_REQUESTS = (
    *(metric for metric in events.METRICS if "outcome" not in metric.numerator),
    MetricDefinition("capped", MetricType.MEAN, "duration_ms", cap=3.2),
)
OTHERS = (
    MetricDefinition("satisfied", MetricType.PROPORTION, "outcome_count(thumbs_up)"),
    MetricDefinition("slow", MetricType.QUANTILE, "duration_ms", level=0.9),
)
# What comes in between two ticks, and how many seconds lie between them.
TICKS = st.lists(st.tuples(st.lists(events.REQUESTS, max_size=12), st.integers(0, 12)), min_size=1, max_size=5)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def collected(
    lake: str,
    file: Path | None,
    starts: Sequence[datetime] = (),
    metrics: Sequence[MetricDefinition] = OF_REQUESTS,
    coming: Sequence[datetime] = (),
) -> CollectedEvidence:
    carried = None if file is None else Carried(file, tuple(coming))
    return collect_evidence(lake, "exp", START, metrics, now=at(200), starts=starts, carried=carried)


@pytest.mark.slow
@events.drawn(6)
@given(ticks=TICKS, outcomes=st.lists(events.OUTCOMES, max_size=8), data=st.data())
def test_after_every_batch_it_is_what_is_read_anew(
    ticks: list[tuple[list[Row], int]], outcomes: list[Row], data: st.DataObject
) -> None:
    rows: list[Row] = []
    seconds = 0
    with tempfile.TemporaryDirectory() as directory:
        lake, file = f"{directory}/lake", Path(directory) / "state" / "exp"
        store(lake, OUTCOMES, outcomes)
        for batch, pause in ticks:
            store(lake, REQUESTS, batch)
            if data.draw(st.booleans()):
                tidying.merge(lake, REQUESTS, START)
            rows += batch
            erased = data.draw(st.sampled_from([None] * 5 + [1, 2]))
            if erased is not None:
                delta_tables.open_table(lake, REQUESTS).delete(f"unit = {erased}")
                rows = [row for row in rows if row["unit"] != erased]
            seconds += pause
            starts = [at(each) for each in data.draw(st.lists(st.integers(1, seconds + 1), max_size=4))]
            carried = collected(lake, file, starts, (*OF_REQUESTS, *OTHERS), coming=[at(seconds)])
            assert_equal(carried, collected(lake, None, starts, (*OF_REQUESTS, *OTHERS)))
            assert_counted(carried, rows, starts)


def assert_counted(found: CollectedEvidence, rows: list[Row], starts: Sequence[datetime]) -> None:
    """As a slow reference counts it, from the beginning and from each start."""
    expected, in_two_arms = reference.evidence(rows, [], "exp", START, OF_REQUESTS[:-1])
    assert found.units_in_two_arms == in_two_arms
    assert_same(_of_requests(found.evidence), expected)
    assert found.units_by_edge == reference.units_by_edge(reference.measured(rows, "exp", START))
    arms = reference.arms_of(reference.measured(rows, "exp", START))
    of_one_arm = [row for row in rows if len(arms.get(row["unit"], ())) < 2]
    for start, evidence in zip(starts, found.since, strict=True):
        assert_same(_of_requests(evidence), reference.evidence(of_one_arm, [], "exp", start, OF_REQUESTS[:-1])[0])


def assert_equal(found: CollectedEvidence, expected: CollectedEvidence) -> None:
    """To the last bit in all that requests add up to; what outcomes do depends on the order of addition."""
    assert replace(found, evidence=_of_requests(found.evidence), since=()) == replace(
        expected, evidence=_of_requests(expected.evidence), since=()
    )
    for one, other in zip((found.evidence, *found.since), (expected.evidence, *expected.since), strict=True):
        assert _of_requests(one) == _of_requests(other)
        assert_same(one, other)


def _of_requests(evidence: Evidence) -> Evidence:
    names = {metric.key for metric in OF_REQUESTS[:-1]}
    sums = {key: sums for key, sums in evidence.sums.items() if key[0] in names}
    return replace(evidence, sums=sums)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "exp"


def fill(lake: str, *seconds: float, unit: int = 1, **fields: object) -> None:
    rows = ((f"{unit}-{second}", at(second).isoformat()) for second in seconds)
    store(lake, REQUESTS, [request_row(name, unit=unit, time=time, **fields) for name, time in rows])


def test_what_was_read_is_not_read_again(lake_url: str, file: Path) -> None:
    fill(lake_url, 1, 2)
    collected(lake_url, file)
    old = delta_tables.open_table(lake_url, REQUESTS).file_uris()
    fill(lake_url, 11, unit=2)
    expected = collected(lake_url, None)
    for path in old:
        Path(path).unlink()
    assert collected(lake_url, file) == expected
    assert expected.evidence.units == {"control": 2}


def test_the_lake_may_lie_in_a_folder_of_any_name(tmp_path: Path, file: Path) -> None:
    lake = str(tmp_path / "lake of 100% of us, é and 水")
    fill(lake, 1, 2)
    collected(lake, file)
    fill(lake, 11, unit=2)
    found = collected(lake, file)
    assert found == collected(lake, None)
    assert found.evidence.units == {"control": 2}


def test_a_unit_that_turns_up_in_a_second_arm_counts_no_more(lake_url: str, file: Path) -> None:
    fill(lake_url, 1, 5, unit=1)
    fill(lake_url, 2, 6, unit=2)
    assert collected(lake_url, file, [at(4)]).evidence.units == {"control": 2}
    fill(lake_url, 11, unit=1, variant="better")
    found = collected(lake_url, file, [at(4), at(15)])
    assert (found.evidence.units, found.units_in_two_arms, found.requests) == ({"control": 1}, 1, {"control": 2})
    assert [each.units for each in found.since] == [{"control": 1}, {}]
    fill(lake_url, 21, unit=1)
    assert collected(lake_url, file).units_in_two_arms == 1


def test_a_start_is_known_where_ticks_without_traffic_came_before(lake_url: str, file: Path) -> None:
    fill(lake_url, 1, 2)
    for second in (10, 20, 30):
        collected(lake_url, file, [at(second)])
    old = delta_tables.open_table(lake_url, REQUESTS).file_uris()
    fill(lake_url, 31, unit=2)
    for path in old:
        Path(path).unlink()
    assert collected(lake_url, file, [at(30)]).since[0].units == {"control": 1}


def test_a_unit_counts_at_each_edge_that_saw_it_and_in_each_of_its_arms(lake_url: str, file: Path) -> None:
    fill(lake_url, 1, unit=1, edge="east")
    assert collected(lake_url, file).units_by_edge == {"east": {"control": 1}}
    fill(lake_url, 2, 3, unit=1, edge="west")
    fill(lake_url, 4, unit=1, edge="east", variant="better")
    fill(lake_url, 5, unit=2, edge="east")
    expected = {"east": {"control": 2, "better": 1}, "west": {"control": 1}}
    assert collected(lake_url, file).units_by_edge == units_by_edge(lake_url, "exp", START) == expected


@pytest.mark.parametrize(("edges", "are_told"), [(62, True), (63, False)])
def test_more_edges_than_are_told_apart_are_left_to_the_rows(
    lake_url: str, file: Path, edges: int, are_told: bool
) -> None:
    rows = [request_row(f"{n}", unit=n, time=at(1).isoformat(), edge=f"edge-{n}") for n in range(edges)]
    store(lake_url, REQUESTS, rows[:2])
    collected(lake_url, file)
    store(lake_url, REQUESTS, rows[2:])
    found = collected(lake_url, file)
    expected = {f"edge-{n}": {"control": 1} for n in range(edges)}
    assert found.units_by_edge == (expected if are_told else None)
    assert found == collected(lake_url, None)


def test_a_file_of_an_earlier_layout_is_made_anew(lake_url: str, file: Path) -> None:
    fill(lake_url, 1, 2)
    expected = collected(lake_url, file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ALTER TABLE units DROP COLUMN seen")
        connection.execute("""UPDATE sums SET content = '{"shape": "earlier"}'""")
        connection.commit()
    assert collected(lake_url, file) == expected
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT seen FROM units").fetchall() == [(1,)]


@pytest.mark.parametrize("content", ["no database at all", ""])
def test_a_broken_file_is_made_anew(lake_url: str, file: Path, content: str) -> None:
    fill(lake_url, 1, 2)
    expected = collected(lake_url, file)
    for each in file.parent.iterdir():
        each.write_text(content)
    assert collected(lake_url, file) == expected
    assert collected(lake_url, file) == expected


def test_where_no_file_can_be_written_the_rows_tell(lake_url: str, tmp_path: Path) -> None:
    fill(lake_url, 1, 2)
    (tmp_path / "no-folder").write_text("")
    assert collected(lake_url, tmp_path / "no-folder" / "exp") == collected(lake_url, None)


def test_while_another_writes_the_file_the_rows_tell(lake_url: str, file: Path) -> None:
    fill(lake_url, 1, 2)
    collected(lake_url, file)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    fill(lake_url, 11)
    found = collected(lake_url, file)
    other.close()
    assert found == collected(lake_url, None)
    assert found.requests == {"control": 3}


def test_rows_that_were_taken_away_count_no_more(lake_url: str, file: Path) -> None:
    fill(lake_url, 1, 2, unit=1)
    fill(lake_url, 3, unit=2)
    assert collected(lake_url, file).evidence.units == {"control": 2}
    delta_tables.open_table(lake_url, REQUESTS).delete("unit = 1")
    found = collected(lake_url, file)
    assert found.evidence.units == {"control": 1}
    assert found == collected(lake_url, None)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT unit FROM units").fetchall() == [(2,)]
