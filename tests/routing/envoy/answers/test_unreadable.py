"""What an edge cannot read is unknown: neither a success nor a failure."""

import gzip
import json

import httpx
import pytest

from tests.factories.answers import OK, plain
from tests.routing.envoy.answers.edge import CHAT, UNREADABLE
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


@pytest.mark.parametrize(("kind", "sent"), [("http", GRPC_WEB), ("triton", "application/grpc-web-text")])
def test_calls_from_browsers_of_which_the_body_is_not_read(
    envoy: RunningEnvoy, server: BrokenServer, kind: str, sent: str
) -> None:
    server.answer = plain(MESSAGE_FRAME + TRAILER_FRAME, sent.encode())

    asked = {"host": kind, "content-type": sent}
    response = httpx.post(f"{envoy.url}/inference.Model/Infer", content=MESSAGE_FRAME, headers=asked)

    row = envoy.row(response.headers["x-request-id"])
    assert (row["result"], row["failure"]) == UNREADABLE
