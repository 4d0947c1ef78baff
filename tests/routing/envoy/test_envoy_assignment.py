"""Envoy and Python assign the same arm to the same unit."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from routing.access_log.line import NO_UNIT
from routing.allocation.assign import assign
from routing.table import Arm, Endpoint, Table, Unit, UnitSource
from tests.factories.tables import make_endpoint, make_experiment, make_table
from tests.servers.envoys import run_envoy

pytestmark = pytest.mark.slow

ENDPOINTS = 60
HEADER_REQUESTS = 100_000
BODY_REQUESTS = 5_000
CONNECTIONS = 16
AWKWARD_SALTS = ["%", "%REQ(host)%", "\\1", "\\", "a:b", " spaced ", '"quoted"', "päpper", "塩", "🧂", "${x}", "{}"]
ALPHABET = "".join(map(chr, [*range(0x20, 0x7F), *range(0x300), *range(0x4E00, 0x4F00), *range(0x1F600, 0x1F650)]))

Request = tuple[Endpoint, str]


def test_a_hundred_thousand_units_in_headers_get_the_same_arm(tmp_path: Path) -> None:
    chance = random.Random(1)
    table = make_table(*(make_random_endpoint(chance, number, UnitSource.HEADER) for number in range(ENDPOINTS)))
    requests = [(chance.choice(table.endpoints), random_text(chance, "header")) for _ in range(HEADER_REQUESTS)]

    lines = log_of(tmp_path, table, requests, header_request)

    assert Counter(map(logged_assignment, lines)) == Counter(map(expected_assignment, requests))


def test_units_in_bodies_get_the_same_arm(tmp_path: Path) -> None:
    chance = random.Random(2)
    table = make_table(*(make_random_endpoint(chance, number, UnitSource.BODY) for number in range(ENDPOINTS)))
    requests = [(chance.choice(table.endpoints), random_text(chance, "body")) for _ in range(BODY_REQUESTS)]

    lines = log_of(tmp_path, table, requests, body_request)

    assert Counter(map(logged_assignment, lines)) == Counter(map(expected_assignment, requests))


def make_random_endpoint(chance: random.Random, number: int, source: UnitSource) -> Endpoint:
    """Two experiments of several arms, each in a random span."""
    cuts = sorted(chance.sample(range(10_001), 20))
    arms = [
        Arm(f"v{place}", chance.choice(["stable", "candidate"]), start, end)
        for place, (start, end) in enumerate(zip(cuts[::2], cuts[1::2], strict=True))
    ]
    salt = AWKWARD_SALTS[number] if number < len(AWKWARD_SALTS) else chance.randbytes(8).hex()
    return make_endpoint(
        f"e{number}",
        make_experiment(f"e{number}-one", *arms[:4], coverage=chance.randint(0, 10_000), stage=3),
        make_experiment(f"e{number}-two", *arms[4:], coverage=10_000),
        path_prefix=f"/e{number}",
        unit=Unit(source, "x-user-id" if source is UnitSource.HEADER else "metadata.user_id"),
        salt=salt,
    )


def random_text(chance: random.Random, place: str) -> str:
    """Text from all over Unicode; a header holds no control characters and no blanks at its ends."""
    text = "".join(chance.choices(ALPHABET, k=chance.randint(1, 24)))
    if place == "header":
        text = "".join(character for character in text if character.isprintable()).strip()
    return text or "x"


def header_request(endpoint: Endpoint, unit: str) -> bytes:
    return f"GET {endpoint.path_prefix} HTTP/1.1\r\nhost: e\r\nx-user-id: {unit}\r\n\r\n".encode()


def body_request(endpoint: Endpoint, unit: str) -> bytes:
    body = json.dumps({"metadata": {"user_id": unit}}, ensure_ascii=len(unit) % 2 == 0).encode()
    head = f"POST {endpoint.path_prefix} HTTP/1.1\r\nhost: e\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def log_of(tmp_path: Path, table: Table, requests: Sequence[Request], encode: Any) -> list[dict[str, Any]]:
    """What Envoy logs of these requests; without clusters it answers each by itself."""
    with run_envoy(tmp_path, table, with_clusters=False) as envoy:
        asyncio.run(send_all(envoy.port, [encode(*request) for request in requests]))
        return envoy.log_lines(len(requests))


async def send_all(port: int, requests: list[bytes]) -> None:
    loop = asyncio.get_running_loop()
    shares = [Client(requests[start::CONNECTIONS]) for start in range(CONNECTIONS)]
    for client in shares:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*(client.done for client in shares))


class Client(asyncio.Protocol):
    """Sends one request after the other: Envoy closes on clients that do not wait for the answer."""

    def __init__(self, requests: list[bytes]) -> None:
        self.done = asyncio.get_running_loop().create_future()
        self._left = iter(requests)
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send_next()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, _, body = self._received.partition(b"\r\n\r\n")
        length = head.partition(b"content-length: ")[2].partition(b"\r")[0]
        if length and len(body) == int(length):
            self._send_next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or EOFError("Envoy closed the connection."))

    def _send_next(self) -> None:
        self._received = b""
        request = next(self._left, None)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
        else:
            self._transport.write(request)


def logged_assignment(line: dict[str, Any]) -> tuple[Any, ...]:
    facts = line["facts"]
    arm = (facts.get("experiment"), facts.get("variant"), facts.get("stage"))
    return (facts["endpoint"], line["unit"], facts["backend"], *arm)


def expected_assignment(request: Request) -> tuple[Any, ...]:
    endpoint, unit = request
    assigned = assign(endpoint, unit)
    # What is no unit is one character of its own in the log.
    written = unit.strip(" \t\r\n\v\f") if assigned.bucket is not None else NO_UNIT
    return (endpoint.key, written, assigned.backend, assigned.experiment, assigned.variant, assigned.stage)
