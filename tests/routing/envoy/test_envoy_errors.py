"""What clients of each protocol read when the edge answers by itself: our sentence, in the form that they look for."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import anthropic
import grpc
import httpx
import openai
import pytest

from routing.protocols import PROTOCOLS
from routing.table import Access, AccessKey, Endpoint, Limits, RateLimit, Table
from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import ModelServer, run_model_server
from tests.servers.processes import free_port

pytestmark = pytest.mark.slow

KEY = "sk-mobile-1"
GUARDED = Access((AccessKey("mobile", sha256(KEY.encode()).hexdigest()),))

SENTENCES = {
    "keyed": (401, "key-unknown", "This key is unknown, revoked or expired."),
    "nowhere": (404, "no-endpoint", "No endpoint of this edge matches the path of this request."),
    "modelled": (404, "model-unknown", 'No endpoint on this path serves the model "gpt-9".'),
    "small": (413, "request-too-large", "This endpoint takes requests of at most 2 000 bytes."),
    "limited": (429, "rate-limited", "The rate limit of this endpoint is used up."),
    "dead": (503, "backend-unavailable", "The backend cannot be reached, or broke the connection off"),
    "slow": (504, "backend-timeout", "The backend did not answer within the endpoint's time limit."),
}
"""By endpoint: what a client with a wrong key, a long text and the model `gpt-9` is told there."""


def endpoints(kind: str) -> list[Endpoint]:
    """One for each way to be refused, all of whose backends are of this kind."""

    def endpoint(key: str, backend: str = "slow", **options: Any) -> Endpoint:
        made = make_endpoint(f"{kind}-{key}", path_prefix=f"/{kind}/{key}", backend=f"{kind}-{backend}")
        return replace(made, rewrite="/", **options)

    return [
        endpoint("keyed", access=GUARDED),
        endpoint("modelled", models=("gpt-5",)),
        endpoint("small", limits=Limits(body_bytes=2_000)),
        endpoint("limited", rate_limits=(RateLimit(1, 3_600),)),
        endpoint("dead", "dead"),
        endpoint("slow", limits=Limits(first_byte_seconds=0.2)),
    ]


def served_table(server: ModelServer) -> Table:
    slow = [make_backend(f"{kind}-slow", server.address, protocol=kind) for kind in PROTOCOLS]
    dead = [make_backend(f"{kind}-dead", f"http://127.0.0.1:{free_port()}", protocol=kind) for kind in PROTOCOLS]
    return make_table(*(one for kind in PROTOCOLS for one in endpoints(kind)), backends=(*slow, *dead))


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEnvoy]:
    with run_model_server("slow") as server:
        server.delay = 2
        with run_envoy(tmp_path_factory.mktemp("edge"), served_table(server)) as running:
            yield running


def use_up(envoy: RunningEnvoy, kind: str) -> None:
    """Take what the limit of a kind's endpoint allows, without waiting for the answer."""
    httpx.options(f"{envoy.url}/{kind}/limited")


@pytest.mark.parametrize("name", SENTENCES)
def test_openais_client_shows_the_sentence(envoy: RunningEnvoy, name: str) -> None:
    use_up(envoy, "openai")
    url = f"{envoy.url}/openai/{name}/v1"
    with (
        openai.OpenAI(base_url=url, api_key="sk-wrong", max_retries=0) as client,
        pytest.raises(openai.APIStatusError) as caught,
    ):
        client.chat.completions.create(model="gpt-9", messages=[{"role": "user", "content": "y" * 3_000}])

    status, code, sentence = SENTENCES[name]
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert sentence in str(caught.value)
    assert caught.value.type in ("invalid_request_error", "rate_limit_error", "server_error")
    assert caught.value.param == ("model" if code == "model-unknown" else None)


ANTHROPICS = {
    "keyed": (anthropic.AuthenticationError, "authentication_error"),
    "nowhere": (anthropic.NotFoundError, "not_found_error"),
    "modelled": (anthropic.NotFoundError, "not_found_error"),
    "small": (anthropic.APIStatusError, "request_too_large"),
    "limited": (anthropic.RateLimitError, "rate_limit_error"),
    "dead": (anthropic.InternalServerError, "api_error"),
    "slow": (anthropic.InternalServerError, "timeout_error"),
}
"""The types of error in Anthropic's documentation, by status, and the exceptions that its client makes of them."""


@pytest.mark.parametrize("kind", ["anthropic", "http"])
@pytest.mark.parametrize("name", SENTENCES)
def test_anthropics_client_shows_the_sentence(envoy: RunningEnvoy, name: str, kind: str) -> None:
    use_up(envoy, kind)
    exception, kind_of_error = ANTHROPICS[name]
    url = f"{envoy.url}/{kind}/{name}"
    with (
        anthropic.Anthropic(base_url=url, api_key="sk-wrong", max_retries=0) as client,
        pytest.raises(exception) as caught,
    ):
        client.messages.create(model="gpt-9", max_tokens=9, messages=[{"role": "user", "content": "y" * 3_000}])

    status, code, sentence = SENTENCES[name]
    assert caught.value.status_code == status
    assert caught.value.type == kind_of_error
    assert sentence in str(caught.value.api_message)
    assert caught.value.error_code == code
    assert caught.value.request_id == caught.value.response.headers["x-request-id"]


OPENAI_PATH, OWN_PATH = "/v1/chat/completions", "/predict"


def refused(envoy: RunningEnvoy, kind: str, path: str, **request: Any) -> dict[str, Any]:
    """What a client without the key is answered."""
    response = httpx.post(f"{envoy.url}/{kind}/keyed{path}", **request)
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.parametrize("kind", PROTOCOLS)
@pytest.mark.parametrize("path", [OPENAI_PATH, OWN_PATH, "/v2/models/iris/infer", "/v1/models/iris:predict"])
def test_an_answer_is_a_problem_whatever_else_it_is(envoy: RunningEnvoy, kind: str, path: str) -> None:
    answer = refused(envoy, kind, path)

    assert (answer["status"], answer["title"]) == (401, "Unauthorized")
    assert (answer["detail"], answer["next_step"][:7]) == ("This endpoint asks for a key.", "Send it")
    assert answer["request_id"]


MESSAGE = (
    "This endpoint asks for a key. "
    "Send it by `Authorization: Bearer`, or a key by `x-api-key`; ask for one if you have none."
)
OPENAI_FORM = {
    "error": {"message": MESSAGE, "type": "invalid_request_error", "param": None, "code": "key-missing"},
    "code": "key-missing",
    "type": "urn:sluice:key-missing",
}
ANTHROPIC_FORM = {
    "type": "error",
    "error": {
        "type": "authentication_error",
        "message": MESSAGE,
        "details": {"error_code": "key-missing"},
    },
    "code": "key-missing",
}
TEXT_FORM = {"error": MESSAGE, "code": "key-missing", "type": "urn:sluice:key-missing"}


@pytest.mark.parametrize(
    ("kind", "path", "form"),
    [
        ("openai", OWN_PATH, OPENAI_FORM),
        ("vllm", OPENAI_PATH, OPENAI_FORM),
        ("tensorrt-llm", OPENAI_PATH, OPENAI_FORM),
        ("ray-serve", OPENAI_PATH, OPENAI_FORM),
        ("llama-cpp", "/completion", OPENAI_FORM),
        ("http", OWN_PATH, OPENAI_FORM),
        ("http", "/openai/deployments/gpt/chat/completions", OPENAI_FORM),
        ("anthropic", "/v1/messages", ANTHROPIC_FORM),
        ("anthropic", OPENAI_PATH, ANTHROPIC_FORM),
        ("vllm", "/v1/messages", ANTHROPIC_FORM),
        ("http", "/v1/messages/count_tokens", ANTHROPIC_FORM),
        ("kserve-v2", "/v2/models/iris/infer", TEXT_FORM),
        ("triton", "/v2/models/llm/generate", TEXT_FORM),
        ("triton", OPENAI_PATH, OPENAI_FORM),
        ("bentoml", "/summarize", TEXT_FORM),
        ("http", "/v2/models/iris/infer", TEXT_FORM),
        ("http", "/v1/models/iris:predict", TEXT_FORM),
        ("tgi", "/generate", {**TEXT_FORM, "error_type": "key-missing"}),
        ("tgi", OPENAI_PATH, OPENAI_FORM),
        ("torchserve", "/predictions/iris", {"code": 401, "message": MESSAGE, "type": "urn:sluice:key-missing"}),
    ],
)
def test_an_answer_has_the_form_of_its_protocol(
    envoy: RunningEnvoy, kind: str, path: str, form: dict[str, Any]
) -> None:
    answer = refused(envoy, kind, path)

    assert {name: answer.get(name) for name in form} == form


@pytest.mark.parametrize(
    ("path", "headers", "form"),
    [
        ("/v1/chat/completions", {}, "openai"),
        ("/v1/messages", {}, "anthropic"),
        ("/v1/chat/completions", {"anthropic-version": "2023-06-01"}, "anthropic"),
        ("/anything", {"anthropic-version": "2023-06-01"}, "anthropic"),
        ("/v2/models/iris/infer", {}, "text"),
        ("/anything", {}, "openai"),
    ],
)
def test_where_no_endpoint_was_found_the_request_tells_its_protocol(
    envoy: RunningEnvoy, path: str, headers: dict[str, str], form: str
) -> None:
    answer = httpx.post(f"{envoy.url}/nowhere{path}", headers=headers).json()

    assert (answer["detail"], answer["code"]) == (SENTENCES["nowhere"][2], "no-endpoint")
    found = "text" if isinstance(answer["error"], str) else "anthropic" if answer["type"] == "error" else "openai"
    assert found == form


@pytest.mark.parametrize(
    ("method", "status", "sentence"),
    [
        ("/nowhere/Generate", grpc.StatusCode.UNIMPLEMENTED, "No endpoint of this edge matches the path"),
        ("/http/dead/Generate", grpc.StatusCode.UNAVAILABLE, "The backend cannot be reached"),
        ("/http/keyed/Generate", grpc.StatusCode.UNAUTHENTICATED, "This endpoint asks for a key."),
        ("/http/limited/Generate", grpc.StatusCode.RESOURCE_EXHAUSTED, "The rate limit of"),
    ],
)
def test_clients_of_grpc_read_the_sentence_too(
    envoy: RunningEnvoy, method: str, status: grpc.StatusCode, sentence: str
) -> None:
    use_up(envoy, "http")
    with grpc.insecure_channel(f"127.0.0.1:{envoy.port}") as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(method)(b"", timeout=20)

    assert caught.value.code() is status
    assert caught.value.details().startswith(sentence)
