"""Envoy hands on every piece of a stream as it comes, and lets go of the backend when the client does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.raw_clients import asked, read_until
from tests.servers.stepped_backends import STREAMED, SteppedBackend, piece, run_stepped_backend

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def backend() -> Iterator[SteppedBackend]:
    with run_stepped_backend() as running:
        yield running


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, backend: SteppedBackend) -> Iterator[RunningEnvoy]:
    """Nothing of it ends a request after a time."""
    folder: Path = tmp_path_factory.mktemp("edge")
    endpoint = make_endpoint(timeout_seconds=0)
    table = make_table(endpoint, backends=(make_backend("stable", backend.address),))
    with run_envoy(folder, table) as running:
        yield running


def test_no_piece_waits_for_the_next_one(envoy: RunningEnvoy, backend: SteppedBackend) -> None:
    with asked(envoy.port) as client, backend.next_request() as stream:
        stream.sendall(STREAMED)
        for number in range(64):
            stream.sendall(piece(number))
            read_until(client, b"token %d." % number)


def test_half_an_event_is_handed_on_too(envoy: RunningEnvoy, backend: SteppedBackend) -> None:
    with asked(envoy.port) as client, backend.next_request() as stream:
        stream.sendall(STREAMED + b'c\r\ndata: {"half\r\n')

        read_until(client, b"half")


def test_a_client_that_leaves_frees_the_backend_which_says_nothing_more(
    envoy: RunningEnvoy, backend: SteppedBackend
) -> None:
    with asked(envoy.port) as client, backend.next_request() as stream:
        stream.sendall(STREAMED + piece(0))
        read_until(client, b"token 0.")

        client.close()

        assert stream.recv(1) == b""


def test_a_client_that_leaves_before_the_first_token_frees_it_too(envoy: RunningEnvoy, backend: SteppedBackend) -> None:
    with asked(envoy.port) as client, backend.next_request() as stream:
        client.close()

        assert stream.recv(1) == b""
