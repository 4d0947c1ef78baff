"""Anthropic's own client, through a whole edge, to a server that speaks as documented; and what reaches the lake."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import anthropic
import pytest
from redis import Redis

from routing.allocation.unit_identity import unit_hash
from routing.collector.collector import Collector
from routing.lake.delta_tables import find_table
from routing.lake.schema import REQUESTS
from routing.table import Arm, Table, Unit, UnitSource
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.routing.edge.edges import UNIT_KEY, RunningEdge, publish, run_edge
from tests.servers.processes import RunningValkey
from tests.servers.protocol_servers import Health, run_kind_server
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

ASKED: dict[str, Any] = {
    "model": "claude",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello"}],
    "metadata": {"user_id": "alice"},
}

# Anthropic's price list, as shares of the price of an input token: of a cache of five minutes.
WRITTEN, READ = 1.25, 0.1
PROMPT_PRICE, COMPLETION_PRICE = 3.0, 15.0


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with run_kind_server(Health("anthropic", "/v1/models")) as server:
        yield server.address


def served_table(address: str) -> Table:
    backend = replace(make_backend("claude", address, protocol="anthropic"), health_path="/v1/models")
    backend = replace(backend, prompt_price=PROMPT_PRICE, completion_price=COMPLETION_PRICE)
    unit = Unit(UnitSource.BODY, "metadata.user_id")
    experiment = make_experiment("new-model", Arm("new", "claude", 0, 10_000))
    endpoint = make_endpoint("chat", experiment, path_prefix="/v1/messages", unit=unit, backend="claude")
    return make_table(replace(endpoint, models=("claude",)), backends=(backend,))


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory, valkey: RunningValkey, address: str) -> Iterator[RunningEdge]:
    with run_edge(tmp_path_factory.mktemp("installation"), valkey.url) as running, Redis.from_url(valkey.url) as redis:
        publish(redis, served_table(address))
        running.wait_for_table(1)
        yield running


@pytest.fixture(scope="module")
def client(edge: RunningEdge) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=edge.url, api_key="sk-ant", max_retries=0) as client:
        yield client


def row_in_the_lake(valkey: RunningValkey, folder: Path, request_id: str) -> dict[str, Any]:
    """The row of a request, once a collector has brought it into a lake."""
    lake_url = str(folder / "lake")
    found: list[dict[str, Any]] = []
    with Redis.from_url(valkey.url) as redis:
        collector = Collector(redis, lake_url, REQUESTS)

        def arrived() -> bool:
            collector.step()
            table = find_table(lake_url, REQUESTS)
            rows = table.to_pyarrow_table().to_pylist() if table else []
            found.extend(row for row in rows if row["request_id"] == request_id)
            return bool(found)

        wait_until(arrived)
    return found[0]


def assert_accounted(row: dict[str, Any], usage: anthropic.types.Usage) -> None:
    """The row counts what the client was told, and knows whose request it was."""
    fresh, output = usage.input_tokens, usage.output_tokens
    written, read = usage.cache_creation_input_tokens or 0, usage.cache_read_input_tokens or 0
    assert min(fresh, output, written, read) > 0
    assert (row["prompt_tokens"], row["completion_tokens"]) == (fresh + written + read, output)
    prompt = (fresh + written * WRITTEN + read * READ) * PROMPT_PRICE
    assert row["cost"] == pytest.approx((prompt + output * COMPLETION_PRICE) / 1_000_000)
    assert row["unit"] == unit_hash(bytes.fromhex(UNIT_KEY), "alice")
    assert (row["experiment"], row["variant"], row["status"]) == ("new-model", "new", 200)


def test_a_message_is_accounted_for(client: anthropic.Anthropic, valkey: RunningValkey, tmp_path: Path) -> None:
    answer = client.messages.with_raw_response.create(**ASKED)

    message = cast("anthropic.types.Message", answer.parse())
    assert message.content[0].type == "text"
    assert_accounted(row_in_the_lake(valkey, tmp_path, answer.headers["x-request-id"]), message.usage)


def test_a_stream_is_accounted_for(client: anthropic.Anthropic, valkey: RunningValkey, tmp_path: Path) -> None:
    with client.messages.stream(**ASKED) as stream:
        assert "".join(stream.text_stream) == "Hi"
        usage = stream.get_final_message().usage
        request_id = stream.response.headers["x-request-id"]

    row = row_in_the_lake(valkey, tmp_path, request_id)
    assert_accounted(row, usage)
    assert row["inter_token_ms"] is not None
    assert (row["result"], row["stop"]) == ("success", "end_turn")


def test_tokens_that_tools_add_within_a_stream_count(
    client: anthropic.Anthropic, valkey: RunningValkey, tmp_path: Path
) -> None:
    with client.messages.stream(
        **{**ASKED, "tools": [{"type": "web_search_20250305", "name": "web_search"}]}
    ) as stream:
        usage = stream.get_final_message().usage
        request_id = stream.response.headers["x-request-id"]

    assert usage.input_tokens == 10_682
    assert_accounted(row_in_the_lake(valkey, tmp_path, request_id), usage)


def test_a_stream_that_turns_into_an_error_reaches_the_client_and_has_no_count(
    client: anthropic.Anthropic, valkey: RunningValkey, tmp_path: Path
) -> None:
    with client.messages.stream(**{**ASKED, "system": "Fail."}) as stream:
        request_id = stream.response.headers["x-request-id"]
        with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
            stream.until_done()

    row = row_in_the_lake(valkey, tmp_path, request_id)
    assert (row["result"], row["failure"]) == ("failed", "error-in-answer")
    assert (row["completion_tokens"], row["cost"]) == (None, None)


def test_a_model_that_is_not_served_is_named(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.messages.create(**{**ASKED, "model": "claude-9"})

    assert caught.value.type == "not_found_error"
    assert 'serves the model "claude-9"' in str(caught.value.api_message)
