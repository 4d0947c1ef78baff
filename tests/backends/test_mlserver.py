"""MLServer, which speaks the Open Inference Protocol."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.backends.servers import PROGRAMS, Fronted, installed, run_server
from tests.servers.processes import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.backends

NUMBERS = {"inputs": [{"name": "numbers", "shape": [3], "datatype": "INT64", "data": [1, 2, 3]}]}


@pytest.fixture(scope="module")
def mlserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    directory = tmp_path_factory.mktemp("mlserver")
    ports = [f"MLSERVER_GRPC_PORT={free_port()}", f"MLSERVER_METRICS_PORT={free_port()}"]
    command: list[str | Path] = ["env", "MLSERVER_HTTP_PORT={port}", *ports]
    command += [installed("mlserver") / "mlserver", "start", PROGRAMS / "mlserver"]
    with run_server(directory, "kserve-v2", command, model="sum", cwd=directory) as front:
        yield front


def test_it_infers_and_tells_no_tokens(mlserver: Fronted) -> None:
    response, row = mlserver.ask("/v2/models/sum/infer", NUMBERS)

    assert response.json()["outputs"][0]["data"] == [6]
    assert row["prompt_tokens"] is None
    assert row["completion_tokens"] is None


def test_a_model_that_is_unloaded_is_not_ready_though_its_server_is(mlserver: Fronted) -> None:
    httpx.post(f"{mlserver.address}/v2/repository/models/sum/unload").raise_for_status()

    wait_until(lambda: not mlserver.healthy())

    assert httpx.get(f"{mlserver.address}/v2/health/ready").status_code == 200
