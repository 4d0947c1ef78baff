"""Requests that no client should send get a clear error or a right answer, and change nothing for others."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.allocation.assign import assign
from routing.table import Arm, Unit, UnitSource
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import ModelServer, run_model_server
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

SPLIT = make_experiment("split", Arm("control", "stable", 0, 5_000), Arm("new", "candidate", 5_000, 10_000))
BY_HEADER = make_endpoint("chat", SPLIT)
BY_MODEL = replace(
    make_endpoint("gpt", path_prefix="/v1", unit=Unit(UnitSource.BODY, "user")),
    models=("gpt",),
    experiments=(replace(SPLIT, key="of-model"),),
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.sampled_from(["model", "user", "usage", "stream", "messages"]), JSON, max_size=4)


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[ModelServer, ModelServer]]:
    with run_model_server("stable") as stable, run_model_server("candidate") as candidate:
        yield stable, candidate


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, servers: tuple[ModelServer, ModelServer]) -> Iterator[RunningEnvoy]:
    backends = tuple(make_backend(server.name, server.address) for server in servers)
    table = make_table(BY_HEADER, BY_MODEL, backends=backends)
    with run_envoy(tmp_path_factory.mktemp("edge"), table) as running:
        yield running
        assert running.process.poll() is None


def exchange(envoy: RunningEnvoy, sent: bytes, *, ended: bool = True) -> bytes:
    """All that is answered to these bytes until the connection ends; the client may say that nothing more comes."""
    with socket.create_connection(("127.0.0.1", envoy.port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(sent)
        if ended:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(1 << 16):
            received += piece
        return received


def statuses(received: bytes) -> list[int]:
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


def seen(servers: tuple[ModelServer, ModelServer]) -> int:
    return sum(len(server.seen) for server in servers)


@given(body=FIELDS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_the_body_holds_the_arm_is_that_of_its_unit(envoy: RunningEnvoy, body: dict[str, object]) -> None:
    content = json.dumps({**body, "stream": False}).encode()

    response = httpx.post(f"{envoy.url}/v1/chat", content=content, headers={"content-type": "application/json"})

    if body.get("model") != "gpt":
        assert response.status_code == 404
        return
    line = envoy.logged(response.headers["x-request-id"])
    unit = line["unit"]
    assert response.status_code == 200
    assert line["facts"].get("variant") == assign(BY_MODEL, unit).variant


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"model": "gpt"',
        b'{"model": "gpt"}{"model": "other"}',
        b'{"model": "other", "model": "gpt"}',
        b"[" * 5_000 + b"]" * 5_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"model": 1e999999}',
        b'{"model": "' + b"g" * 100_000 + b'"}',
        b'{"model": "\\ud800"}',
        b'{"model": "gpt\x00"}',
        b"\xff\xfe\x00",
        b"\x1f\x8b\x08\x00",
    ],
)
def test_a_broken_body_is_an_error_or_an_answer_and_nothing_else(envoy: RunningEnvoy, content: bytes) -> None:
    response = httpx.post(f"{envoy.url}/v1/chat", content=content, headers={"content-type": "application/json"})

    assert response.status_code in (200, 400, 404)
    assert httpx.post(f"{envoy.url}/v1/chat", json={"model": "gpt"}).status_code == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/octet-stream", "", "multipart/form-data", "x" * 500]
)
def test_a_body_of_another_type_names_no_model(envoy: RunningEnvoy, content_type: str) -> None:
    headers = {"content-type": content_type}
    response = httpx.post(f"{envoy.url}/v1/chat", content=b'{"model": "gpt"}', headers=headers)

    assert (response.status_code, response.json()["code"]) == (404, "no-endpoint")


def request(*headers: bytes, line: bytes = b"POST /chat HTTP/1.1", body: bytes = b"") -> bytes:
    return b"\r\n".join([line, b"host: edge", *headers, b"", body])


SMUGGLED = b"GET /chat/smuggled HTTP/1.1\r\nhost: edge\r\nx-user-id: victim\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        request(b"content-length: 4", b"transfer-encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED),
        request(b"content-length: 4", b"content-length: 90", body=b"{}  " + SMUGGLED),
        request(b"content-length: 4, 90", body=b"{}  " + SMUGGLED),
        request(b"transfer-encoding: chunked, identity", body=b"0\r\n\r\n" + SMUGGLED),
        request(b"transfer-encoding: xchunked", b"content-length: 4", body=b"{}  " + SMUGGLED),
        request(b"transfer-encoding : chunked", b"content-length: 4", body=b"0\r\n\r\n" + SMUGGLED),
        request(b"transfer-encoding: chunked", body=b"2;\n{}\r\n0\r\n\r\n" + SMUGGLED),
        request(b"transfer-encoding: chunked", body=b"-2\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
        request(b"transfer-encoding: chunked", body=b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        request(b"content-length: -1", body=SMUGGLED),
        request(b"content-length: +4", body=b"{}  " + SMUGGLED),
        request(b"x-a: b\x00c"),
        request(b"x a: b"),
        request(b" x-a: b"),
        request(b": b"),
        request(line=b"POST /chat HTTP/9.9"),
        request(line=b"/chat"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 100,
        b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\nhost: edge\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_and_no_second_one_gets_through(
    envoy: RunningEnvoy, servers: tuple[ModelServer, ModelServer], sent: bytes
) -> None:
    before = seen(servers)

    received = exchange(envoy, sent)

    assert all(status >= 400 for status in statuses(received)), received
    # What breaks within its body may have reached the backend by then, as one request that never ends.
    assert seen(servers) <= before + 1
    assert not [path for server in servers for path in server.paths if "smuggled" in path]
    assert httpx.post(f"{envoy.url}/chat", json={}).status_code == 200


def test_a_bare_return_ends_no_header(envoy: RunningEnvoy, servers: tuple[ModelServer, ModelServer]) -> None:
    forged = request(b"x-a: b\rx-sluice-variant: split/new", b"content-length: 0", b"connection: close")

    [status] = statuses(exchange(envoy, forged, ended=False))

    assert status == 200
    assert servers[0].seen[-1]["x-a"] == "bx-sluice-variant: split/new"


@pytest.mark.parametrize("headers", [[b"x-large: " + b"y" * 1_000_000], [b"x-%d: y" % n for n in range(2_000)]])
def test_headers_that_are_too_large_are_refused(envoy: RunningEnvoy, headers: list[bytes]) -> None:
    with socket.create_connection(("127.0.0.1", envoy.port), timeout=PATIENCE_SECONDS) as connection:
        try:
            connection.sendall(request(*headers, b"content-length: 0"))
            received = connection.recv(1 << 16)
        except ConnectionError:
            received = b"HTTP/1.1 431 "
    assert statuses(received) == [431]


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/chat/../nowhere", None),
        ("/nowhere/../chat", "chat"),
        ("/chat/%2e%2e/nowhere", None),
        ("//chat", None),
        ("/chat;a=b", None),
        ("/chat%00", None),
        ("/chat%2fx", None),
        ("/CHAT", None),
        ("/chat/" + "a" * 5_000, "chat"),
        ("/.sluice/../chat", "chat"),
    ],
)
def test_a_path_is_what_it_says_and_nothing_else(envoy: RunningEnvoy, path: str, endpoint: str | None) -> None:
    line = f"POST {path} HTTP/1.1".encode()

    received = exchange(envoy, request(b"content-length: 0", b"connection: close", line=line), ended=False)

    [status] = statuses(received)
    assert status in ((200,) if endpoint else (400, 404))


@pytest.mark.parametrize(
    "unit", ["", "a" * 1_000, "a,b", 'a"b', "é", "%REQ(x-user-id)%", "{{7*7}}", "' OR 1=1", "-", "1", "true", "1.5"]
)
def test_a_strange_unit_gets_its_own_arm_and_nobody_elses(envoy: RunningEnvoy, unit: str) -> None:
    response = httpx.post(f"{envoy.url}/chat", json={}, headers=[(b"x-user-id", unit.encode())])

    line = envoy.logged(response.headers["x-request-id"])
    assert line["unit"] == (unit or None)
    assert line["facts"].get("variant") == assign(BY_HEADER, unit).variant


@pytest.mark.parametrize("unit", ["a" * 1_001, "é" * 501, "a\tb"])
def test_what_is_no_unit_is_measured_as_none(envoy: RunningEnvoy, unit: str) -> None:
    response = httpx.post(f"{envoy.url}/chat", json={}, headers=[(b"x-user-id", unit.encode())])

    row = envoy.row(response.headers["x-request-id"])
    assert (row["unit"], row["experiment"]) == (None, None)
    assert row["without_unit"] == ("control-characters" if "\t" in unit else "too-long")


def test_a_unit_that_is_no_text_is_an_answer_and_a_line_of_the_log(envoy: RunningEnvoy) -> None:
    response = httpx.post(f"{envoy.url}/chat", json={}, headers=[(b"x-user-id", b"\xff\xfe")])

    assert response.status_code == 200


@pytest.mark.parametrize(
    "forged",
    [
        {"x-envoy-retry-on": "5xx"},
        {"x-envoy-original-path": "/nowhere"},
        {"x-sluice-shadow": "split/new"},
        {"x-forwarded-for": "10.0.0.1", "x-envoy-internal": "true"},
        {"x-request-id": "00000000-0000-0000-0000-000000000000"},
    ],
)
def test_forged_headers_move_nobody(envoy: RunningEnvoy, forged: dict[str, str]) -> None:
    response = httpx.post(f"{envoy.url}/chat", json={}, headers={"x-user-id": "alice", **forged})

    line = envoy.logged(response.headers["x-request-id"])
    assert response.headers["x-request-id"] != forged.get("x-request-id")
    assert line["facts"]["variant"] == assign(BY_HEADER, "alice").variant
