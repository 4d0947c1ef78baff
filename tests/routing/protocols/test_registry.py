"""The registry of protocols."""

import re
from dataclasses import replace

import pytest

from routing.envoy import clusters
from routing.protocols import PROTOCOLS, Protocol
from routing.table import problems
from tests.factories.tables import make_backend, make_table

ALL = list(PROTOCOLS.values())


def named(protocol: Protocol) -> str:
    return protocol.key


@pytest.mark.parametrize("protocol", ALL, ids=named)
def test_a_backend_of_each_protocol_can_be_served(protocol: Protocol) -> None:
    assert problems(make_table(backends=(make_backend("model", protocol=protocol.key),))) == ()


@pytest.mark.parametrize("protocol", ALL, ids=named)
def test_a_pattern_for_models_has_one_group(protocol: Protocol) -> None:
    assert re.compile(protocol.model_in_path).groups == bool(protocol.model_in_path)


@pytest.mark.parametrize(
    ("key", "path", "model"),
    [
        ("kserve-v2", "/v2/models/iris/versions/3/infer", "iris"),
        ("triton", "/v2/models/llm/generate_stream", "llm"),
        ("torchserve", "/predictions/bert/2.0", "bert"),
        ("torchserve", "/explanations/bert", "bert"),
        ("openai", "/openai/deployments/gpt/chat/completions?api-version=1", "gpt"),
        ("http", "/v1/models/half_plus_two:predict", "half_plus_two"),
    ],
)
def test_the_model_is_found_in_a_path(key: str, path: str, model: str) -> None:
    found = re.search(PROTOCOLS[key].model_in_path, path)

    assert found
    assert found[1] == model


def test_the_model_of_torchserve_is_asked_for_where_it_is_managed() -> None:
    backend = replace(make_backend("model", protocol="torchserve"), health_path="/models/bert")

    cluster = clusters(make_table(backends=(backend,)))["resources"][1]

    host = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    assert host["health_check_config"]["port_value"] == 8081
    assert host["address"]["socket_address"]["port_value"] == 1
    expected = cluster["health_checks"][0]["http_health_check"]["receive"][0]["text"]
    assert bytes.fromhex(expected) == b'"status": "READY"'


@pytest.mark.parametrize("key", ["kserve-v2", "triton"])
def test_a_single_model_may_be_asked_for(key: str) -> None:
    assert PROTOCOLS[key].ready_path() == "/v2/health/ready"
    assert PROTOCOLS[key].ready_path("iris") == "/v2/models/iris/ready"


def test_a_kind_that_does_not_tell_of_single_models_says_so() -> None:
    with pytest.raises(ValueError, match="vLLM does not tell of a single model"):
        PROTOCOLS["vllm"].ready_path("llama")
