"""Calls of gRPC, by its specification "gRPC over HTTP2" and that of the Open Inference Protocol.

A call that went well says so in its trailers by a number from 0 to 16, and has messages that are as long as they say.
"""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from routing.table import Arm
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.routing.envoy.answers.edge import ERROR, NO_ANSWER, SUCCESS, Seen
from tests.servers.call_servers import Call, CallServer, message, run_call_server
from tests.servers.envoys import RunningEnvoy, run_envoy

pytestmark = pytest.mark.slow

KINDS = ("http", "kserve-v2")
# An endpoint with an experiment, of whose answers no protocol says anything.
COMPARED = "compared"
INFER = "/inference.GRPCInferenceService/ModelInfer"
STREAM_INFER = "/inference.GRPCInferenceService/ModelStreamInfer"
ANY = "/own.Service/Call"
BROKE_OFF: Seen = ("failed", "broke-off")
SERVER_ERROR: Seen = ("failed", "server-error")
HI = message(b"\x1a\x02hi")


@pytest.fixture(scope="module")
def calls() -> Iterator[CallServer]:
    with run_call_server() as running:
        yield running


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory, calls: CallServer) -> Iterator[RunningEnvoy]:
    backends = tuple(replace(make_backend(kind, calls.address, protocol=kind), http2=True) for kind in KINDS)
    endpoints = [replace(make_endpoint(kind, path_prefix="/", backend=kind), hosts=(kind,)) for kind in KINDS]
    compared = make_experiment("e", Arm("new", "http", 0, 10_000))
    endpoints.append(replace(make_endpoint(COMPARED, compared, path_prefix="/", backend="http"), hosts=(COMPARED,)))
    with run_envoy(tmp_path_factory.mktemp("calls"), make_table(*endpoints, backends=backends)) as running:
        yield running


def seen(edge: RunningEnvoy, kind: str, path: str = ANY, sent: str = "application/grpc") -> Seen:
    headers = {"host": kind, "content-type": sent, "te": "trailers"}
    response = httpx.post(f"{edge.url}{path}", content=message(b"a"), headers=headers)
    row = edge.row(response.headers["x-request-id"])
    return row["result"], row["failure"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Call(HI), SUCCESS),
        (Call(HI + HI), SUCCESS),
        (Call(message(b"")), SUCCESS),
        (Call(HI, headers=(("grpc-status", "0"),)), SUCCESS),
        (Call(HI, (("grpc-status", "5"),)), ("rejected", None)),
        # The trailers count, wherever else a status stands.
        (Call(HI, (("grpc-status", "13"),), (("grpc-status", "0"),)), SERVER_ERROR),
        (Call(HI, None, (("grpc-status", "0"),)), BROKE_OFF),
        (Call(HI, None), BROKE_OFF),
        (Call(HI, ()), BROKE_OFF),
        (Call(HI, (("grpc-message", "fine"),)), BROKE_OFF),
        # Clients take for unknown, which is an error, what is none of the numbers.
        (Call(HI, (("grpc-status", "odd"),)), SERVER_ERROR),
        (Call(HI, (("grpc-status", ""),)), SERVER_ERROR),
        (Call(HI, (("grpc-status", "-1"),)), SERVER_ERROR),
        (Call(HI, (("grpc-status", "17"),)), SERVER_ERROR),
        (Call(HI, (("grpc-status", "4294967296"),)), SERVER_ERROR),
        # No message, in trailers alone or behind headers.
        (Call(b"", None, (("grpc-status", "0"),)), NO_ANSWER),
        (Call(b""), NO_ANSWER),
        (Call(b"\x00\x00"), NO_ANSWER),
    ],
)
def test_a_call_says_in_its_trailers_that_it_went_well(
    edge: RunningEnvoy, calls: CallServer, kind: str, answer: Call, expected: Seen
) -> None:
    calls.answer = answer

    assert seen(edge, kind) == expected


@pytest.mark.parametrize("kind", ["kserve-v2", COMPARED])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (message(b"hi", length=9), NO_ANSWER),
        (HI + b"\x00\x00\x00", NO_ANSWER),
        (HI + message(b"hi", length=3), NO_ANSWER),
        (b"<html>Sign in</html>", NO_ANSWER),
        # Compressed, where no header says by what; a flag that is none.
        (message(b"hi", flag=1), NO_ANSWER),
        (message(b"hi", flag=7), NO_ANSWER),
        (HI * 1_500, SUCCESS),
    ],
)
def test_messages_are_as_long_as_they_say(
    edge: RunningEnvoy, calls: CallServer, kind: str, body: bytes, expected: Seen
) -> None:
    calls.answer = Call(body)

    assert seen(edge, kind) == expected


def test_a_message_may_be_compressed(edge: RunningEnvoy, calls: CallServer) -> None:
    calls.answer = Call(message(b"hi", flag=1), headers=(("grpc-encoding", "gzip"),))

    assert seen(edge, "kserve-v2") == SUCCESS


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        # Fields 1, 3 and 5: the model's name, the id, and an output, of which `raw_output_contents` has the data.
        (INFER, message(b"\x0a\x01m\x1a\x02hi\x2a\x03\x0a\x01a\x32\x02\x00\x00"), SUCCESS),
        (INFER, message(b"\x0a\x84\x10" + b"m" * 2_052 + b"\x2a\x03\x0a\x01a"), SUCCESS),
        (INFER, message(b"\x0a\x01m\x1a\x02hi"), NO_ANSWER),
        (INFER, HI, NO_ANSWER),
        (INFER, message(b""), NO_ANSWER),
        (STREAM_INFER, message(b"\x12\x04\x1a\x02hi"), SUCCESS),
        (STREAM_INFER, message(b""), NO_ANSWER),
        # Field 1, `error_message`, of an answer of the stream.
        (STREAM_INFER, message(b"\x0a\x04oops"), ERROR),
        (STREAM_INFER, message(b"\x12\x04\x1a\x02hi") + message(b"\x0a\x04oops"), ERROR),
    ],
)
def test_a_result_of_a_model(edge: RunningEnvoy, calls: CallServer, path: str, body: bytes, expected: Seen) -> None:
    calls.answer = Call(body)

    assert seen(edge, "kserve-v2", path) == expected


WEB = "application/grpc-web+proto"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (HI + message(b"grpc-status: 0\r\n", flag=128), SUCCESS),
        (HI + message(b"grpc-message: x\r\nGrpc-Status:0\r\n", flag=128), SUCCESS),
        (HI + message(b"grpc-status: 13\r\n", flag=128), SERVER_ERROR),
        (HI + message(b"grpc-status: 5\r\n", flag=128), ("rejected", None)),
        (HI + message(b"grpc-message: x\r\n", flag=128), BROKE_OFF),
        (HI, BROKE_OFF),
        (message(b"grpc-status: 0\r\n", flag=128), NO_ANSWER),
        (message(b"hi", length=9), BROKE_OFF),
    ],
)
def test_calls_from_browsers_have_their_trailers_in_the_body(
    edge: RunningEnvoy, calls: CallServer, body: bytes, expected: Seen
) -> None:
    calls.answer = Call(body, None, kind=WEB)

    assert seen(edge, "kserve-v2", sent=WEB) == expected
