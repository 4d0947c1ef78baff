"""What others compute from the lake is what Sluice decides on, and what the documentation shows runs."""

import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from examples.lake.recompute import EXACT, Sums, by_duckdb, by_pandas
from experiments.evidence import MetricDefinition, collect_evidence
from experiments.stats.core.types import MetricType
from routing.allocation.unit_identity import canonical_unit, unit_hash
from routing.lake import delta_tables
from routing.lake.schema import OUTCOMES, REQUESTS, LakeTable
from tests.docs.pages import ROOT
from tests.factories.rows import START, request_row, store

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs/lake.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
RESULTS = ("success", "success", "failed", "timed-out", "rejected", "abandoned", "unknown")
TYPES = {"int64": "long", "int32": "integer", "bool": "boolean", "date32[day]": "date"}
ERRORS = MetricDefinition("error_rate", MetricType.RATIO, "errors", "requests")
KEY = "00ff" * 8


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Users next to each other, some in two arms, some requests that are not measured, and some of nobody."""
    url = str(tmp_path_factory.mktemp("lake"))
    chance = random.Random(1)
    first = 2**62
    rows = [
        request_row(
            f"r{number}",
            unit=chance.choice([None, *range(first, first + 700)]),
            variant=chance.choice(["control", "candidate", None]) if number % 40 == 0 else None,
            result=chance.choice(RESULTS),
            shadow=chance.random() < 0.05,
            forced=chance.random() < 0.05,
            experiment=chance.choice(["exp", "exp", "other"]),
        )
        for number in range(4000)
    ]
    for row in rows:
        if row["unit"] is not None and row["variant"] is None:
            row["variant"] = ("control", "candidate")[row["unit"] % 2]
    for part in range(4):
        store(url, REQUESTS, rows[part::4])
    store(url, OUTCOMES, [])
    return url


def test_both_have_the_sums_that_sluice_decides_on(lake: str) -> None:
    ours = collect_evidence(lake, "exp", START, [ERRORS]).evidence.sums
    sums = [
        Sums(variant, of.units, *map(int, (of.sum_y, of.sum_d, of.sum_yy, of.sum_dd, of.sum_yd)))
        for (_, variant), of in sorted(ours.items())
    ]
    assert [each.variant for each in sums] == ["candidate", "control"]
    assert min(each.y for each in sums) > 100
    assert by_duckdb(lake, "exp", START) == sums
    assert by_pandas(lake, "exp", START) == sums


def test_it_is_a_command(lake: str) -> None:
    command = [sys.executable, "-m", "examples.lake.recompute", lake, "exp"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.splitlines()
    assert Counter(line.split(":")[0].split()[0] for line in printed) == {"DuckDB": 2, "pandas": 2}
    assert printed[0].replace("DuckDB", "pandas") == printed[2]


def test_units_survive_pandas_as_the_page_says_and_not_otherwise(lake: str) -> None:
    table = DeltaTable(f"{lake}/requests")
    true = len(table.to_pyarrow_table(columns=["unit"])["unit"].unique().drop_null())
    assert table.to_pandas(types_mapper=EXACT.get)["unit"].nunique() == true
    assert table.to_pandas(types_mapper=pd.ArrowDtype)["unit"].nunique() == true
    assert table.to_pandas()["unit"].nunique() < true


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_what_the_page_shows_runs(lake: str, snippet: str) -> None:
    run(f"lake, unit_key = {lake!r}, {KEY!r}\n{snippet}")


@pytest.mark.parametrize("user", ["user-17", " Zoë\t", "\u00a0kept", "名前"])
def test_a_user_is_found_as_the_page_says(user: str) -> None:
    [snippet] = [snippet for snippet in SNIPPETS if "blake2b" in snippet]
    told = run(f"unit_key = {KEY!r}\n{snippet}".replace('"user-17"', repr(user)))
    assert int(told) == unit_hash(bytes.fromhex(KEY), canonical_unit(user))


def run(code: str) -> str:
    """What a program prints."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("table", [REQUESTS, OUTCOMES], ids=lambda table: table.name)
def test_page_and_metadata_tell_of_each_column_what_the_schema_says(lake: str, table: LakeTable) -> None:
    section = PAGE.split(f"## `{table.name}`\n")[1].split("\n## ")[0]
    told = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "| `" in line]
    assert told == [
        [f"`{field.name}`", delta_type(field.type), "may be" if field.nullable else "never", table.comments[field.name]]
        for field in table.schema
    ]
    assert table.meaning in section
    delta = DeltaTable(f"{lake}/{table.name}")
    assert delta.metadata().description == table.meaning
    assert {field.name: field.metadata["comment"] for field in delta.schema().fields} == table.comments


def delta_type(kind: pa.DataType) -> str:
    """The name that Delta Lake has for a type."""
    return "timestamp" if pa.types.is_timestamp(kind) else TYPES.get(str(kind), str(kind))


def test_a_lake_of_an_older_release_is_told_at_once_and_only_once(tmp_path: Path) -> None:
    lake_url = str(tmp_path)
    bare = pa.schema([field for field in OUTCOMES.schema if field.name != "properties"])
    DeltaTable.create(f"{lake_url}/outcomes", bare, partition_by=["day"])
    opened = delta_tables.open_table(lake_url, OUTCOMES)
    assert {field.name: field.metadata["comment"] for field in opened.schema().fields} == OUTCOMES.comments
    assert opened.metadata().description == OUTCOMES.meaning
    assert delta_tables.configuration(OUTCOMES).items() <= opened.metadata().configuration.items()
    assert delta_tables.open_table(lake_url, OUTCOMES).version() == opened.version()
