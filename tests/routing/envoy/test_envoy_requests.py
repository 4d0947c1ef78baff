"""What Envoy does with a request, and what it writes down about it."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from routing.allocation.assign import assign
from routing.envoy import FORCED_VARIANT_HEADER
from routing.table import Arm, Table, Unit, UnitSource
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import ModelServer, run_model_server

pytestmark = pytest.mark.slow

BY_BODY = Unit(UnitSource.BODY, "metadata.user_id")
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}


@pytest.fixture(scope="module")
def stable() -> Iterator[ModelServer]:
    with run_model_server("stable") as server:
        yield server


@pytest.fixture(scope="module")
def candidate() -> Iterator[ModelServer]:
    with run_model_server("candidate") as server:
        yield server


def served_table(stable: ModelServer, candidate: ModelServer) -> Table:
    backends = (
        make_backend("stable", stable.address),
        replace(make_backend("candidate", candidate.address), prompt_price=3.5),
        make_backend("plain", stable.address, protocol="http"),
    )
    control, new = Arm("control", "stable", 0, 5_000), Arm("new", "candidate", 5_000, 10_000)
    return make_table(
        make_endpoint("chat", make_experiment("new-model", control, new, stage=2)),
        make_endpoint("all-new", make_experiment("wide", replace(new, start=0)), path_prefix="/chat/new"),
        make_endpoint("body", make_experiment("by-body", replace(new, start=0)), path_prefix="/body", unit=BY_BODY),
        make_endpoint("quiet", path_prefix="/quiet", backend="plain"),
        backends=backends,
        version=41,
    )


@pytest.fixture(scope="module")
def envoy(
    tmp_path_factory: pytest.TempPathFactory, stable: ModelServer, candidate: ModelServer
) -> Iterator[RunningEnvoy]:
    with run_envoy(tmp_path_factory.mktemp("edge"), served_table(stable, candidate)) as running:
        yield running


def ask(envoy: RunningEnvoy, path: str, **request: Any) -> tuple[httpx.Response, dict[str, Any]]:
    """A request's answer, and what the access log says about it."""
    response = httpx.post(f"{envoy.url}{path}", **{"json": {}, **request})
    return response, envoy.logged(response.headers["x-request-id"])


def arm_of(line: dict[str, Any]) -> tuple[str | None, str | None, int | None]:
    facts = line["facts"]
    return facts.get("experiment"), facts.get("variant"), facts.get("stage")


@pytest.mark.parametrize("unit", ["alice", "bob", "zoë 塩", "a,b", "-"])
def test_a_unit_gets_its_arm_and_the_log_says_which(
    envoy: RunningEnvoy, stable: ModelServer, candidate: ModelServer, unit: str
) -> None:
    response, line = ask(envoy, "/chat/completions", headers={"x-user-id": unit.encode()})

    chat = served_table(stable, candidate).endpoints[0]
    assigned = assign(chat, unit)
    assert response.json()["server"] == line["facts"]["backend"] == assigned.backend
    assert arm_of(line) == ("new-model", assigned.variant, 2)
    assert (line["unit"], line["status"], line["flags"]) == (unit, 200, "-")
    assert line["facts"]["endpoint"] == "chat"
    assert (line["facts"]["table_version"], line["facts"]["forced"]) == (41, False)
    assert {"stable": "prompt_price\n1.0", "candidate": "prompt_price\n3.5"}[assigned.backend] in line["answered_by"]


@pytest.mark.parametrize("headers", [{}, {"x-user-id": ""}])
def test_without_a_unit_the_endpoints_backend_answers_unmeasured(envoy: RunningEnvoy, headers: dict[str, str]) -> None:
    response, line = ask(envoy, "/chat", headers=headers)

    assert response.json()["server"] == "stable"
    assert arm_of(line) == (None, None, None)
    assert line["unit"] is None


def test_of_two_unit_headers_the_first_counts(envoy: RunningEnvoy, stable: ModelServer, candidate: ModelServer) -> None:
    chat = served_table(stable, candidate).endpoints[0]
    for number in range(8):
        unit = f"user-{number}"

        _, line = ask(envoy, "/chat", headers=[("x-user-id", unit), ("x-user-id", "other")])

        assert line["unit"] == unit
        assert line["facts"]["variant"] == assign(chat, unit).variant


@pytest.mark.parametrize(
    ("variant", "server"), [("new-model/new", "candidate"), ("new-model/gone", "stable"), ("", "stable")]
)
def test_who_asks_for_a_variant_is_never_measured(envoy: RunningEnvoy, variant: str, server: str) -> None:
    response, line = ask(envoy, "/chat", headers={FORCED_VARIANT_HEADER: variant, "x-user-id": "tester"})

    assert response.json()["server"] == line["facts"]["backend"] == server
    assert arm_of(line) == (None, None, None)
    assert line["facts"]["forced"] is True


@pytest.mark.parametrize(
    ("path", "endpoint"), [("/chat/new", "all-new"), ("/chat/new/x?y=1", "all-new"), ("/chat/newer", "chat")]
)
def test_the_longest_prefix_of_whole_segments_decides(envoy: RunningEnvoy, path: str, endpoint: str) -> None:
    _, line = ask(envoy, path)

    assert line["facts"]["endpoint"] == endpoint


@pytest.mark.parametrize("path", ["/", "/chatter", "/.sluice", "/chat/../nowhere"])
def test_an_unknown_path_gets_a_problem_that_says_so(envoy: RunningEnvoy, path: str) -> None:
    response = httpx.get(f"{envoy.url}{path}")

    problem = response.json()
    assert response.status_code == problem["status"] == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:sluice:no-endpoint"
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["detail"] == "No endpoint of this edge matches the path of this request."


def test_the_served_table_can_be_asked_for(envoy: RunningEnvoy) -> None:
    response = httpx.get(f"{envoy.url}/.sluice/table")

    assert response.json() == {"version": 41, "cut": []}
    assert response.headers["content-type"] == "application/json"


def test_what_is_for_no_endpoint_is_not_logged(envoy: RunningEnvoy) -> None:
    for path in ("/.sluice/table", "/nowhere"):
        unlogged = httpx.get(f"{envoy.url}{path}").headers["x-request-id"]
        ask(envoy, "/chat")

        assert unlogged not in [line["request_id"] for line in envoy.log_lines(1)]


def tokens(envoy: RunningEnvoy, line: dict[str, Any]) -> tuple[int | None, int | None]:
    row = envoy.row(line["request_id"])
    return row["prompt_tokens"], row["completion_tokens"]


def test_tokens_are_taken_from_an_answer(envoy: RunningEnvoy) -> None:
    _, line = ask(envoy, "/chat")

    assert tokens(envoy, line) == (11, 22)


def test_tokens_are_taken_from_the_end_of_a_stream(envoy: RunningEnvoy) -> None:
    response, line = ask(envoy, "/chat", json=STREAMED)

    assert response.text.endswith("data: [DONE]\n\n")
    assert tokens(envoy, line) == (11, 22)


def test_tokens_of_a_stream_that_does_not_tell_are_unknown(envoy: RunningEnvoy) -> None:
    _, line = ask(envoy, "/chat", json={"stream": True})

    assert tokens(envoy, line) == (None, None)


def test_the_body_of_a_backend_without_tokens_is_not_read(envoy: RunningEnvoy) -> None:
    response, line = ask(envoy, "/quiet")

    assert response.json()["usage"]["prompt_tokens"] == 11
    assert tokens(envoy, line) == (None, None)


def test_the_times_of_a_stream(envoy: RunningEnvoy) -> None:
    """What lies between the same moments, seen from both sides of Envoy, holds its own numbers."""
    sent = time.monotonic()
    with httpx.stream("POST", f"{envoy.url}/chat", json={"stream": True, "chunks": 3, "wait": 0.2}) as response:
        parts = response.iter_raw()
        next(parts)
        first = time.monotonic()
        *_, last = parts
    ended = time.monotonic()

    line = envoy.logged(response.headers["x-request-id"])
    assert b"[DONE]" in last
    assert 200_000 <= line["ttft_us"] <= (first - sent) * 1_000_000
    assert 600_000 <= line["duration_us"] <= (ended - sent) * 1_000_000
    assert line["duration_us"] // 1000 == line["duration_ms"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["time"])


def test_the_request_id_is_ours_and_the_same_everywhere(envoy: RunningEnvoy, candidate: ModelServer) -> None:
    response, line = ask(envoy, "/chat/new", headers={"x-request-id": "mine", "x-user-id": "alice"})

    request_id = response.headers["x-request-id"]
    assert request_id != "mine"
    assert line["request_id"] == request_id == candidate.seen[-1]["x-request-id"]


def test_a_client_cannot_steer_envoy(envoy: RunningEnvoy) -> None:
    response, _ = ask(envoy, "/chat", json={"wait": 0.1}, headers={"x-envoy-upstream-rq-timeout-ms": "1"})

    assert response.status_code == 200


def test_the_unit_of_a_body(envoy: RunningEnvoy, candidate: ModelServer) -> None:
    body = {"metadata": {"user_id": "alice"}, "padding": 3}

    response, line = ask(envoy, "/body", json=body)

    assert response.json()["padding"] == "xxx"
    assert arm_of(line) == ("by-body", "new", 0)
    assert line["unit"] == "alice"
    assert "alice" not in str(line["facts"])


@pytest.mark.parametrize(
    "body", [b"", b"no json", b"{}", b"[]", b'{"metadata": "alice"}', b'{"metadata": {"user_id": ""}}']
)
def test_a_body_without_a_unit_is_passed_on_unmeasured(envoy: RunningEnvoy, body: bytes) -> None:
    _, line = ask(envoy, "/body", json=None, content=body, headers={"content-type": "application/json"})

    assert line["unit"] is None
    assert arm_of(line) == (None, None, None)


def test_a_body_is_read_whatever_character_set_its_type_names(envoy: RunningEnvoy) -> None:
    body = b'{"metadata": {"user_id": "alice"}}'

    _, line = ask(envoy, "/body", json=None, content=body, headers={"content-type": "application/json; charset=UTF-8"})

    assert line["unit"] == "alice"


def test_a_unit_in_the_header_of_an_endpoint_that_reads_bodies_does_not_count(envoy: RunningEnvoy) -> None:
    _, line = ask(envoy, "/body", headers={"x-user-id": "alice"})

    assert line["unit"] is None


def test_large_bodies_pass_both_ways(envoy: RunningEnvoy) -> None:
    megabytes = 8_000_000
    body = {"metadata": {"user_id": "alice"}, "padding": megabytes, "prompt": "y" * megabytes}

    response, line = ask(envoy, "/body", json=body)

    assert len(response.json()["padding"]) == megabytes
    assert tokens(envoy, line) == (11, 22)


def test_a_body_that_is_too_large_to_be_read_is_refused_with_a_problem(envoy: RunningEnvoy) -> None:
    response, line = ask(envoy, "/body", content=b"y" * (33 << 20), headers={"content-type": "application/json"})

    assert response.status_code == line["status"] == 413
    assert response.json()["code"] == "request-too-large"
    assert line["facts"]["endpoint"] == "body"


def test_a_large_body_passes_where_it_is_not_read(envoy: RunningEnvoy) -> None:
    body = {"prompt": "y" * (33 << 20)}

    response, _ = ask(envoy, "/quiet", json=body)

    assert response.status_code == 200
