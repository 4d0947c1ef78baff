"""MLServer, which speaks the Open Inference Protocol: with two models, one of which loads later."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backends.servers import Fronted, installed, run_server
from tests.servers import free_port

pytestmark = pytest.mark.backends

MODEL = """
from mlserver import MLModel
from mlserver.codecs import NumpyCodec


class Sum(MLModel):
    async def predict(self, payload):
        data = NumpyCodec.decode_input(payload.inputs[0])
        from mlserver.types import InferenceResponse
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("sum", data.sum(keepdims=True))])
"""
NUMBERS = {"inputs": [{"name": "numbers", "shape": [3], "datatype": "INT64", "data": [1, 2, 3]}]}


@pytest.fixture(scope="module")
def mlserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    directory = tmp_path_factory.mktemp("mlserver")
    ports = {name: free_port() for name in ("http_port", "grpc_port", "metrics_port")}
    write_models(directory, ports)
    program = installed("mlserver")
    with run_server(directory, "kserve-v2", [program / "mlserver", "start", "."], cwd=directory) as front:
        yield front


def write_models(directory: Path, ports: dict[str, int]) -> None:
    settings = {"host": "127.0.0.1", "parallel_workers": 0, **ports}
    (directory / "settings.json").write_text(json.dumps(settings))
    (directory / "model-settings.json").write_text(json.dumps({"name": "sum", "implementation": "model.Sum"}))
    (directory / "model.py").write_text(MODEL)
