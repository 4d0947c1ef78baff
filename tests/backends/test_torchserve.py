"""TorchServe, with a model of plain Python."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from routing.protocols import PROTOCOLS
from tests.backends.servers import PROGRAMS, Fronted, installed, run_server
from tests.servers.processes import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.backends

MANAGEMENT = "http://127.0.0.1:8081"


@pytest.fixture(scope="module")
def torchserve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    directory = tmp_path_factory.mktemp("torchserve")
    programs = installed("torchserve")
    pack(programs, directory)
    environment = os.environ | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(PROGRAMS / "torchserve/standin"),
        "LOG_LOCATION": str(directory),
        "METRICS_LOCATION": str(directory),
        "TS_METRICS_ADDRESS": f"http://127.0.0.1:{free_port()}",
        "TS_MANAGEMENT_ADDRESS": MANAGEMENT,
    }
    settings = directory / "config.properties"
    settings.write_text("enable_envvars_config=true\nenable_grpc=false\ndefault_workers_per_model=1\n")
    start: list[str | Path] = ["torchserve", "--start", "--foreground", "--disable-token-auth", "--ts-config", settings]
    command = ["env", "TS_INFERENCE_ADDRESS=http://127.0.0.1:{port}", *start]
    models: list[str | Path] = ["--model-store", directory, "--models", "sum=sum.mar"]
    with run_server(directory, "torchserve", [*command, *models], model="sum", env=environment) as front:
        yield front


def pack(programs: Path, directory: Path) -> None:
    """Make a model archive."""
    handler = PROGRAMS / "torchserve/handler.py"
    names: list[str | Path] = [
        "--model-name",
        "sum",
        "--version",
        "1.0",
        "--handler",
        handler,
        "--export-path",
        directory,
    ]
    subprocess.run([programs / "torch-model-archiver", *names, "--export-path", directory], check=True)


def test_it_answers_and_tells_no_tokens(torchserve: Fronted) -> None:
    response, row = torchserve.ask("/predictions/sum", {"numbers": [1, 2, 3]})

    assert response.text == "6"
    assert row["completion_tokens"] is None


def test_a_model_without_workers_is_not_ready_whatever_the_ping_says(torchserve: Fronted) -> None:
    httpx.put(f"{MANAGEMENT}/models/sum?min_worker=0&synchronous=true").raise_for_status()

    wait_until(lambda: not torchserve.healthy())

    ping = httpx.get(f"{torchserve.address}/ping")
    assert PROTOCOLS["torchserve"].ready.question.text in ping.text
