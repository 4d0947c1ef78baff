"""Lakes that earlier releases wrote open as they are: all of their rows, all of today's columns, and more to come.

`before_comments.zip` has two days of both tables: several commits, a merge, a checkpoint, and rows after it. It was
written when no column had a comment and each file had statistics of all columns.
"""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from experiments.evidence import MetricDefinition, collect_evidence
from experiments.stats.core.types import MetricType, UnitSums
from routing.lake import delta_tables
from routing.lake.reading import read_lake
from routing.lake.schema import OUTCOMES, REQUESTS
from routing.lake.tidying import merge
from tests.factories.rows import START, outcome_row, request_row, store, stored

pytestmark = pytest.mark.slow

LONG_AFTER = START + timedelta(days=9)
LAKES = sorted((Path(__file__).parents[2] / "data" / "lakes").glob("*.zip"))
POSITIONS = {"requests": {"sluice:requests:local": 6 << 32}, "outcomes": {"sluice:outcomes": 6 << 20}}
IDS = sorted(f"r{day}-{part}-{number}" for day in (5, 6) for part in range(3) for number in range(5))
ERRORS = MetricDefinition("errors", MetricType.RATIO, "errors", "requests")
VALUE = MetricDefinition("value", MetricType.MEAN, "outcome(thumbs_up)")


@pytest.fixture(params=LAKES, ids=lambda path: path.stem)
def old_lake(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A lake of an earlier release, nobody else's."""
    shutil.unpack_archive(request.param, tmp_path)
    return str(tmp_path)


def test_it_is_read_before_anything_of_this_release_wrote_to_it(old_lake: str) -> None:
    with read_lake(old_lake) as reading:
        for table, frame, count in ((REQUESTS, reading.requests, 30), (OUTCOMES, reading.outcomes, 12)):
            rows = frame.collect("pyarrow")
            assert rows.columns == table.schema.names
            assert len(rows) == count
    sums = collect_evidence(old_lake, "exp", START, [ERRORS, VALUE]).evidence.sums
    assert sums["errors", "candidate"] == UnitSums(2, 6.0, 12.0, 36.0, 72.0, 36.0)
    assert sums["errors", "control"] == UnitSums(2, 6.0, 12.0, 36.0, 72.0, 36.0)
    assert sums["value", "candidate"].sum_y == 3.0


def test_it_is_opened_and_gone_on_with(old_lake: str) -> None:
    for table, row in ((REQUESTS, request_row("new")), (OUTCOMES, outcome_row("new"))):
        delta = delta_tables.open_table(old_lake, table)
        assert {field.name for field in delta.schema().fields} == set(table.schema.names)
        assert delta_tables.positions(delta, set(POSITIONS[table.name])) == POSITIONS[table.name]
        store(old_lake, table, [row])
        merge(old_lake, table, LONG_AFTER)
        assert len(delta_tables.open_table(old_lake, table).file_uris()) == 2
    assert stored(old_lake, REQUESTS, "request_id") == sorted([*IDS, "new"])
    assert len(stored(old_lake, OUTCOMES, "id")) == 13


def test_its_rows_stay_what_they_were_when_they_are_merged(old_lake: str) -> None:
    def rows() -> list[str]:
        return sorted(map(str, delta_tables.open_table(old_lake, REQUESTS).to_pyarrow_table().to_pylist()))

    before = rows()
    merge(old_lake, REQUESTS, LONG_AFTER)
    assert rows() == before
