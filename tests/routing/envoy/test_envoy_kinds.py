"""What a real Envoy makes of every kind of model server: tokens plain and streamed, and whether it is ready."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any

import httpx
import pytest

from routing.envoy import FORCED_VARIANT_HEADER
from routing.protocols import PROTOCOLS
from routing.table import Arm, Backend, Endpoint, Table
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.protocol_servers import HEALTHS, SPEECHES, Health, KindServer, Speech, run_kind_server
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def key(number: int) -> str:
    """The key of a backend, by its place in `HEALTHS`."""
    return f"{HEALTHS[number].kind}-{number}"


@pytest.fixture(scope="module")
def servers() -> Iterator[list[KindServer]]:
    with ExitStack() as stack:
        yield [stack.enter_context(run_kind_server(health)) for health in HEALTHS]


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, servers: list[KindServer]) -> Iterator[RunningEnvoy]:
    with run_envoy(tmp_path_factory.mktemp("edge"), served_table(servers)) as running:
        yield running


def served_table(servers: list[KindServer]) -> Table:
    """A backend for each way to tell health, and an endpoint for each kind, found by the first step of its path."""
    backends = [backend(number, server) for number, server in enumerate(servers)]
    first = {health.kind: key(number) for number, health in reversed(list(enumerate(HEALTHS)))}
    endpoints = [endpoint(kind, first[kind]) for kind in first]
    by_name = replace(endpoint("triton", first["triton"]), key="by-name", path_prefix="/named", models=("llm",))
    by_other = replace(endpoint("torchserve", first["torchserve"]), key="by-other", path_prefix="/named")
    arms = (Arm("chat", first["openai"], 0, 5_000), Arm("native", first["llama-cpp"], 5_000, 10_000))
    mixed = replace(endpoint("mixed", first["openai"]), experiments=(make_experiment("two-kinds", *arms),))
    return make_table(*endpoints, mixed, by_name, replace(by_other, models=("iris",)), backends=tuple(backends))


def backend(number: int, server: KindServer) -> Backend:
    made = make_backend(key(number), server.address, protocol=HEALTHS[number].kind)
    return replace(made, health_path=HEALTHS[number].path)


def endpoint(kind: str, backend: str) -> Endpoint:
    return replace(make_endpoint(kind, path_prefix=f"/{kind}", backend=backend), rewrite="/")


def ask(envoy: RunningEnvoy, path: str, *, stream: bool = False, variant: str | None = None) -> dict[str, Any]:
    """The row of a request."""
    headers = {FORCED_VARIANT_HEADER: f"two-kinds/{variant}"} if variant else {}
    response = httpx.post(f"{envoy.url}{path}", json={"stream": stream}, headers=headers)
    assert response.status_code == 200, response.text
    return envoy.row(response.headers["x-request-id"])


def counts(row: dict[str, Any]) -> tuple[int | None, int | None]:
    return row["prompt_tokens"], row["completion_tokens"]


def named(speech: Speech) -> str:
    return f"{speech.kind} {speech.path}"


@pytest.mark.parametrize("speech", SPEECHES, ids=named)
def test_tokens_are_found_where_the_kind_tells_them(envoy: RunningEnvoy, speech: Speech) -> None:
    path = f"/{speech.kind}{speech.path}"

    assert counts(ask(envoy, path)) == speech.plain_counts
    assert counts(ask(envoy, path, stream=True)) == speech.streamed_counts


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("variant", "path"), [("chat", "/v1/chat/completions"), ("native", "/completion")])
def test_variants_of_different_kinds_stand_together(envoy: RunningEnvoy, variant: str, path: str, stream: bool) -> None:
    assert counts(ask(envoy, f"/mixed{path}", stream=stream, variant=variant)) == (11, 22)


def test_the_time_in_the_queue_is_found_in_a_header(envoy: RunningEnvoy) -> None:
    assert ask(envoy, "/tgi/generate")["queue_ms"] == 3


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [("/named/v2/models/llm/generate", "by-name"), ("/named/predictions/iris?top=1", "by-other")],
)
def test_the_model_is_found_in_the_paths_of_all_kinds_behind_one_address(
    envoy: RunningEnvoy, path: str, endpoint: str
) -> None:
    assert ask(envoy, path)["endpoint"] == endpoint


def healthy(envoy: RunningEnvoy) -> dict[str, bool]:
    """Which backends Envoy takes for healthy."""
    return {name: [*envoy.flags(name).values()] == [set()] for name in map(key, range(len(HEALTHS)))}


@pytest.fixture(scope="module")
def taken_for_healthy(envoy: RunningEnvoy, servers: list[KindServer]) -> dict[bool, dict[str, bool]]:
    """By whether all servers are ready: what Envoy takes each for, once it had time to learn of it."""
    seen = {}
    for ready in (True, False):
        for server in servers:
            server.ready = ready
        seen[ready] = settled(envoy, ready)
    return seen


def settled(envoy: RunningEnvoy, ready: bool) -> dict[str, bool]:
    """What Envoy takes each for once it is the same for all, or does not become so."""
    with suppress(TimeoutError):
        wait_until(lambda: set(healthy(envoy).values()) == {ready})
    return healthy(envoy)


@pytest.mark.parametrize("number", range(len(HEALTHS)), ids=key)
@pytest.mark.parametrize("ready", [True, False], ids=["ready", "not ready"])
def test_ready_and_not_ready_are_told_apart(
    taken_for_healthy: dict[bool, dict[str, bool]], number: int, ready: bool
) -> None:
    assert taken_for_healthy[ready][key(number)] is ready


def test_every_kind_is_tried() -> None:
    assert {speech.kind for speech in SPEECHES} == {health.kind for health in HEALTHS} == set(PROTOCOLS)
    tried: set[Health] = set(HEALTHS)
    assert {health.path for health in tried} >= {kind.ready_path() for kind in PROTOCOLS.values()}
