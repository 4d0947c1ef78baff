"""A cluster of Spark's own: a master and a worker, each a process, with executors beside them."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.separate import run_apart
from tests.servers.processes import STOP_SECONDS, free_port
from tests.spark.histories import ONE, history, on_duckdb
from tests.waiting import wait_until

pyspark = pytest.importorskip("pyspark")
pytestmark = [pytest.mark.spark, pytest.mark.slow]

HERE = "127.0.0.1"


@contextmanager
def _process(folder: Path, name: str, *words: str) -> Iterator[Path]:
    """One of Spark's processes, and the file that it logs to."""
    home = Path(pyspark.__file__).parent
    log = folder / f"{name}.log"
    command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", *words]
    variables = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": HERE, "SPARK_WORKER_DIR": str(folder)}
    variables.pop("SPARK_CONF_DIR", None)
    with log.open("wb") as output, subprocess.Popen(command, env=variables, stdout=output, stderr=output) as process:
        try:
            yield log
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """The address of a master that has a worker."""
    port = free_port()
    with ExitStack() as running:
        own = [("--host", HERE, "--webui-port", str(free_port())) for _ in range(2)]
        master = running.enter_context(_process(tmp_path, "master.Master", *own[0], "--port", str(port)))
        room = ("--cores", "2", "--memory", "1g")
        running.enter_context(_process(tmp_path, "worker.Worker", *own[1], *room, f"spark://{HERE}:{port}"))
        wait_until(lambda: "Registering worker" in master.read_text())
        yield f"spark://{HERE}:{port}"


def test_its_executors_find_the_same(cluster: str, tmp_path: Path) -> None:
    lake = history(str(tmp_path / "lake"), requests=120)
    found = run_apart("tests.spark.asked_apart", lake, folder=tmp_path, SLUICE_SPARK_MASTER=cluster)
    expected = on_duckdb(lake, ONE).evidence
    assert found["sums"] == {" ".join(key): sums.sum_yy for key, sums in expected.sums.items()}
    assert found["executors"] >= 1
