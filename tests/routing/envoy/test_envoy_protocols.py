"""What is not one request and one answer: WebSockets, gRPC and HTTP/2."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import grpc
import pytest
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from routing.allocation.assign import assign
from routing.envoy.clusters import GRPC_HEALTH
from routing.table import Arm
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.processes import free_port
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

PATIENTLY: dict[str, Any] = {"open_timeout": PATIENCE_SECONDS, "ping_interval": None}
METHOD = "/inference.Model/Generate"

# The message HealthCheckResponse with the status SERVING.
SERVING = b"\x08\x01"


@pytest.fixture(scope="module")
def echo() -> Iterator[int]:
    """A WebSocket server that says everything twice."""

    def answer(connection: ServerConnection) -> None:
        for message in connection:
            connection.send(message)
            connection.send(message)

    port = free_port()
    with serve(answer, "127.0.0.1", port, **PATIENTLY) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield port
        server.shutdown()
        thread.join()


class _Model(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Streams the request back, a byte an answer, and says in a trailer how many."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        if handler_call_details.method == GRPC_HEALTH:
            return grpc.unary_unary_rpc_method_handler(lambda request, context: SERVING)
        if handler_call_details.method != METHOD:
            return None
        return grpc.unary_stream_rpc_method_handler(self._generate)

    def _generate(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        if request == b"refuse":
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "no room")
        if request == b"fail":
            context.abort(grpc.StatusCode.INTERNAL, "out of memory")
        context.set_trailing_metadata((("x-count", str(len(request))),))
        for byte in request:
            yield bytes([byte])
        if request == b"break":
            context.abort(grpc.StatusCode.UNAVAILABLE, "gone")


@pytest.fixture(scope="module")
def model() -> Iterator[int]:
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((_Model(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None).wait()


GRPC = make_endpoint("grpc", make_experiment("e", Arm("new", "model", 0, 10_000)), path_prefix="/inference.Model")


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, echo: int, model: int) -> Iterator[RunningEnvoy]:
    backends = (
        make_backend("stable", f"http://127.0.0.1:{echo}", protocol="http"),
        replace(
            make_backend("model", f"http://127.0.0.1:{model}", protocol="http"), http2=True, health_path=GRPC_HEALTH
        ),
    )
    table = make_table(make_endpoint("talk", path_prefix="/talk"), GRPC, backends=backends)
    with run_envoy(tmp_path_factory.mktemp("edge"), table) as running:
        yield running


def test_a_websocket_passes_both_ways(envoy: RunningEnvoy) -> None:
    address, headers = f"ws://127.0.0.1:{envoy.port}/talk", {"x-user-id": "alice"}
    with connect(address, additional_headers=headers, **PATIENTLY) as socket:
        for number in range(3):
            socket.send(f"word {number}")
            assert [socket.recv(PATIENCE_SECONDS), socket.recv(PATIENCE_SECONDS)] == [f"word {number}"] * 2

    [line] = envoy.log_lines(1)
    assert (line["status"], line["unit"], line["facts"]["endpoint"]) == (101, "alice", "talk")


def test_grpc_passes_with_its_trailers(envoy: RunningEnvoy) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{envoy.port}") as channel:
        call = channel.unary_stream(METHOD)(b"hello", metadata=(("x-user-id", "alice"),), timeout=PATIENCE_SECONDS)

        assert b"".join(call) == b"hello"
        assert dict(call.trailing_metadata())["x-count"] == "5"
        with pytest.raises(grpc.RpcError) as refusal:
            list(channel.unary_stream(METHOD)(b"refuse", metadata=(("x-user-id", "alice"),), timeout=PATIENCE_SECONDS))

    assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    lines = [line for line in envoy.log_lines(2) if line["facts"]["endpoint"] == "grpc"]
    assert lines[0]["facts"]["variant"] == assign(GRPC, "alice").variant


@pytest.mark.parametrize(
    ("request_body", "result"),
    [
        (b"hello", "success"),
        # In trailers alone, and in trailers behind a part of the answer.
        (b"refuse", "rejected"),
        (b"fail", "failed"),
        (b"break", "failed"),
    ],
)
def test_the_status_of_grpc_says_how_a_call_ended(envoy: RunningEnvoy, request_body: bytes, result: str) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{envoy.port}") as channel:
        call = channel.unary_stream(METHOD)(request_body, metadata=(("x-user-id", "alice"),), timeout=PATIENCE_SECONDS)
        with nullcontext() if result == "success" else pytest.raises(grpc.RpcError):
            list(call)

    request_id = dict(call.initial_metadata() or call.trailing_metadata())["x-request-id"]
    assert envoy.row(request_id)["result"] == result
