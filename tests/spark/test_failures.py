"""What is said when Spark cannot be asked, and that it is asked again."""

import os
import signal
import sys
from pathlib import Path

import pytest

from controlplane.problems.errors import Unavailable
from routing.lake import delta_tables
from routing.lake.schema import REQUESTS
from tests.spark.histories import history, on_duckdb, on_spark

pytestmark = pytest.mark.slow


def test_without_pyspark_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py4j.protocol", None)
    with pytest.raises(Unavailable) as refused:
        on_spark(str(tmp_path))
    assert refused.value.code == "spark-missing"


@pytest.mark.spark
def test_a_java_process_that_ended_is_followed_by_another(tmp_path: Path) -> None:
    pyspark = pytest.importorskip("pyspark")
    lake = history(str(tmp_path), requests=30)
    expected = on_duckdb(lake).evidence
    assert on_spark(lake).evidence == expected
    os.kill(pyspark.SparkContext._gateway.proc.pid, signal.SIGKILL)
    assert on_spark(lake).evidence == expected


@pytest.mark.spark
def test_a_file_that_is_gone_is_told_of_and_the_next_question_is_answered(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    lake = history(str(tmp_path), requests=30)
    file = Path(delta_tables.open_table(lake, REQUESTS).file_uris()[0])
    away = file.rename(tmp_path / "away.parquet")
    with pytest.raises(Unavailable) as failed:
        on_spark(lake)
    assert failed.value.code == "spark-failed"
    away.rename(file)
    assert on_spark(lake).evidence == on_duckdb(lake).evidence
