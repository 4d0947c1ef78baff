"""What an edge cannot read is unknown: neither a success nor a failure."""

import gzip
import json

import httpx
import pytest

from tests.factories.answers import OK
from tests.routing.envoy.answers.edge import CHAT, SUCCESS, UNREADABLE, Seen
from tests.routing.envoy.answers.examples import HI, choice
from tests.servers.broken_servers import BrokenServer, say
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"zstd", b"GZIP", b"gzip, identity"])
@pytest.mark.parametrize("kind", [b"application/json", b"text/event-stream"])
def test_what_is_compressed_against_the_asking_is_unknown(
    envoy: RunningEnvoy, server: BrokenServer, encoding: bytes, kind: bytes
) -> None:
    body = gzip.compress(json.dumps(choice(HI)).encode())
    head = b"content-type: %b\r\ncontent-encoding: %b\r\ncontent-length: %d\r\n\r\n" % (kind, encoding, len(body))
    server.answer = say(OK + head, body)

    with httpx.stream("POST", f"{envoy.url}{CHAT}", json={}, headers={"host": "openai"}) as response:
        list(response.iter_raw())

    row = envoy.row(response.headers["x-request-id"])
    assert (row["result"], row["failure"]) == UNREADABLE
    assert (row["prompt_tokens"], row["cost"]) == (None, None)


GRPC_WEB = "application/grpc-web+proto"
MESSAGE_FRAME = b"\x00\x00\x00\x00\x02hi"
TRAILER_FRAME = b"\x80\x00\x00\x00\x10grpc-status: 13\r\n"


@pytest.mark.parametrize("kind", ["http", "triton"])
@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        # The status is in the body, which is not read: nobody knows.
        (b"", MESSAGE_FRAME + TRAILER_FRAME, UNREADABLE),
        (b"grpc-status: 0\r\n", b"", SUCCESS),
        (b"grpc-status: 13\r\n", b"", ("failed", "server-error")),
        (b"grpc-status: 5\r\n", b"", ("rejected", None)),
    ],
)
def test_calls_of_grpc_from_browsers(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, headers: bytes, body: bytes, expected: Seen
) -> None:
    head = b"content-type: application/grpc-web+proto\r\n%bcontent-length: %d\r\n\r\n" % (headers, len(body))
    server.answer = say(OK + head, body)

    asked = {"host": kind, "content-type": GRPC_WEB}
    response = httpx.post(f"{envoy.url}/inference.Model/Infer", content=MESSAGE_FRAME, headers=asked)

    row = envoy.row(response.headers["x-request-id"])
    assert (row["result"], row["failure"]) == expected
