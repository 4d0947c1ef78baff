"""Every field of every operation, given what no field may hold: always an answer in words, never a failure."""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice, pairwise
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from controlplane.audit.actors import SLUICE
from controlplane.problems.request_limits import LARGEST_BODY
from experiments.actions.start import start
from routing.models import AccessKey, Edge, EventImport, Issuer, Layer
from routing.resources.register import register
from routing.resources.retire import retire
from tests.controlplane.api.test_permissions import ISSUER, READS, WRITES, Operation
from tests.factories.drafts import backend, draft, endpoint
from tests.visitors.callers import Caller

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.usefixtures("redis_server")]

LARGEST_ANSWER = 100_000
WORDS = {"title", "description", "default", "example", "examples", "readOnly"}
MEMBERS = {"type", "title", "status", "detail", "code", "next_step", "problems", "more_problems", "request_id"}

CONTEXT = {"context": {"targetingKey": "ada", "recordExposure": True, "x-country": "DE"}}
FLAGS = [
    Operation("POST", f"../../ofrep/v1/evaluate/flags{key}", 200, CONTEXT) for key in ("", "/live", "/a/b", "/%00")
]
STATED = {"users_per_hour": 500, "exponent": 0.7, "baselines": {"error-rate": {"value": 0.01}}}
FORECAST = Operation("POST", "experiments/waiting/forecast", 200, STATED)
ROTATION = Operation("POST", "tokens/0/rotate", 403, {"hours": 2})
WORKLOAD = Operation("POST", "auth/oidc", 400, {"jwt": "none"})
ASKED = [operation for operation in READS if operation.body is not None and operation.path != FORECAST.path]
SENT = [*ASKED, FORECAST, ROTATION, WORKLOAD, *FLAGS]
WITH_BODY = [operation for operation in WRITES if operation.body is not None] + SENT

# What JSON can spell, whether it means something or not.
VALUES = {
    "minus nothing": "-0",
    "the largest number": "1.7976931348623157e308",
    "the smallest number": "5e-324",
    "too large a number as text": '"1e999"',
    "no number as text": '"NaN"',
    "a number of 20 digits as text": '"99999999999999999999"',
    "a long text": '"' + "a" * 300_000 + '"',
    "an empty text": '""',
    "nothing": "null",
    "a truth": "true",
    "an object": "{}",
    "the first moment": '"0001-01-01T00:00:00+23:59"',
    "the last moment": '"9999-12-31T23:59:59-23:59"',
    "a list": "[]",
    "200 000 wrong entries": "[" + '"x!",' * 199_999 + '"x!"]',
    "20 000 wrong objects": "[" + '{"x":1},' * 19_999 + "{}]",
    "20 000 members": "{" + ",".join(f'"k{number}":"x"' for number in range(20_000)) + "}",
}
# What is refused wherever it stands, before any field is looked at.
UNREADABLE = {
    "half a character": r'"\ud800"',
    "a NUL": r'"a\u0000b"',
    "too large a number": "1e999",
    "no number": "NaN",
    "infinity": "Infinity",
    "a number of 401 digits": "1" + "0" * 400,
    "a number of 5 000 digits": "9" * 5000,
    "a number of 65 bits": "18446744073709551616",
    "300 deep": "[" * 300 + "]" * 300,
    "3 000 deep": '{"a":' * 3000 + "1" + "}" * 3000,
    "100 000 deep": "[" * 100_000 + "]" * 100_000,
}
READ_ALIKE = {"specs/plan", "specs/export"}
"""What reads its body as `specs/apply` does, which is given all; YAML takes long to read."""
IN_TURN = 3
"""How many of the values each further field of a kind is given: the first is given all."""
BODIES: dict[str, bytes] = {
    "a nasty name": rb'{"\ud800": 1, "\u0000": 2}',
    "no JSON": b"{",
    "nothing but space": b"   ",
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "a surrogate in bytes": b'{"name": "\xed\xa0\x80"}',
    "a mark of order": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "deep and open": b"[" * 200_000,
    "too many bytes": b" " * (LARGEST_BODY + 1),
    "a NUL": b"\x00",
}
SEGMENTS = (
    "%00",
    "%ED%A0%80",
    "%FF",
    "a" * 5000,
    "9" * 400,
    "9" * 20,
    "-1",
    "1e999",
    "a%2Fb",
    "a%0Ab",
    "%F0%9F%98%80",
    "'",
)
QUERIES = ("page", "page_size", "state", "endpoint", "format", "version", "lang", "search", "\x00", "\ud800")
HEADERS = {
    "accept": "application/xml",
    "accept-language": "\x00",
    "authorization": "Bearer slc_\x00_\x00",
    "content-type": "application/json; charset=no-such-one",
    "cookie": r'sluice_session="\000abcdefgh"; sluice_csrf="\000"; messages="\000"',
    "if-none-match": '"\xff',
    "x-request-id": "\x00" * 100,
}


@pytest.fixture(scope="module", autouse=True)
def _things(module_database: None) -> None:
    endpoint()
    endpoint("lonely")
    backend("lonely")
    retire(backend("retired"), actor=SLUICE)
    Edge.objects.create(name="frankfurt-1.example.com", seen_at="2026-01-01T00:00:00Z")
    register(Layer(key="empty", name="Empty"), actor=SLUICE)
    endpoint("warm", standby="warm")
    register(Issuer(**ISSUER), actor=SLUICE)
    AccessKey.objects.create(pk=1, client="batch", prefix="slk_", digest="0" * 64)
    EventImport.objects.create(key="upload", name="a.csv", kind="csv", size=5, actor="ada")
    draft("waiting", traffic=10)
    start(draft("live", traffic=10), actor=SLUICE)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The way to a field in a body, and its kind."""

    path: tuple[str | int, ...]
    kind: str


def refused_in_words(answer: Any) -> None:
    """It is no failure, it is short, and what is wrong is said as everywhere."""
    assert answer.status_code < 500, answer.content[:500]
    if answer.status_code >= 400:
        assert len(answer.content) < LARGEST_ANSWER
        assert answer["Content-Type"] == "application/problem+json", answer["Content-Type"]
        content = json.loads(answer.content, parse_constant=_refuse)
        assert set(content) >= MEMBERS
        assert content["status"] == answer.status_code
        assert "{" not in content["title"]
        assert len(content["problems"]) <= 20
        json.dumps(content, ensure_ascii=False).encode()


def _refuse(constant: str) -> None:
    raise AssertionError(f"the answer says {constant}")


def send(caller: Caller, operation: Operation, body: bytes | str) -> Any:
    """Send it, and undo what it did."""
    with transaction.atomic():
        answer = caller.send(operation.method, operation.path, body)
        transaction.set_rollback(True)
    return answer


def places(document: dict[str, Any], schema: dict[str, Any], path: tuple[str | int, ...] = ()) -> Iterator[Place]:
    """All fields of a schema, and of what is within lists."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for part in (*schema.get("anyOf", ()), *schema.get("allOf", ()), *schema.get("oneOf", ())):
        yield from places(document, part, path)
    steps: list[tuple[str | int, Any]] = [*schema.get("properties", {}).items()]
    steps += [(0, schema.get("items")), ("extra", schema.get("additionalProperties"))]
    steps += enumerate(schema.get("prefixItems", ()))
    for step, inner in steps:
        if isinstance(inner, dict):
            yield Place((*path, step), _kind(inner))
            yield from places(document, inner, (*path, step))


def _kind(schema: dict[str, Any]) -> str:
    """What a schema says of a field but for its words: fields of one kind are read and checked alike."""
    return json.dumps({name: value for name, value in schema.items() if name not in WORDS}, sort_keys=True)


def with_nasty(body: Any, path: tuple[str | int, ...], nasty: str) -> str:
    """The body as JSON with something nasty at a place, whatever has to be made on the way there."""
    changed = copy.deepcopy(body)
    place = changed
    for step, following in pairwise(path):
        inner: Any = [None] if isinstance(following, int) else {}
        if isinstance(place, list):
            place[0] = place[0] if isinstance(place[0], dict | list) else inner
            place = place[0]
        else:
            found = place.get(step)
            place[step] = found if isinstance(found, type(inner)) and found else inner
            place = place[step]
    if isinstance(place, list):
        place[0] = "NASTY"
    else:
        place[path[-1]] = "NASTY"
    return json.dumps(changed).replace('"NASTY"', nasty)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


def described(document: dict[str, Any], operation: Operation) -> dict[str, Any]:
    """The operation in the OpenAPI document that a call is one of."""
    path = (
        "/" + operation.path.removeprefix("../../") if operation.path.startswith("..") else f"/api/v1/{operation.path}"
    )
    for template, item in document["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", ".+", template), path) and operation.method.lower() in item:
            found: dict[str, Any] = item[operation.method.lower()]
            return found
    raise AssertionError(f"{operation.method} {path} is not described")


def name(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def test_every_operation_with_a_body_is_tried(document: dict[str, Any]) -> None:
    with_body = {
        item[method]["operationId"]
        for item in document["paths"].values()
        for method in ("post", "put", "patch")
        if method in item and "application/json" in item[method].get("requestBody", {}).get("content", {})
    }
    assert with_body == {described(document, operation)["operationId"] for operation in WITH_BODY}


@pytest.fixture(scope="module")
def tries(document: dict[str, Any]) -> dict[str, list[tuple[Place, str]]]:
    """What is tried of each operation: all values in the first field of each kind, some in turn in the others."""
    kinds: set[str] = set()
    turn = cycle(VALUES.values())
    tried: dict[str, list[tuple[Place, str]]] = {}
    for operation in WITH_BODY:
        schema = described(document, operation)["requestBody"]["content"]["application/json"]["schema"]
        fields = sorted({place.path: place for place in places(document, schema)}.values(), key=str)
        ends = () if operation.path in READ_ALIKE else (fields[0], fields[-1])
        pairs = tried[name(operation)] = [(place, nasty) for place in ends for nasty in UNREADABLE.values()]
        for place in fields:
            values = islice(turn, IN_TURN) if place.kind in kinds else VALUES.values()
            pairs += [(place, nasty) for nasty in values]
            kinds.add(place.kind)
    return tried


@pytest.mark.database
@pytest.mark.parametrize("operation", WITH_BODY, ids=name)
def test_no_field_takes_it(operation: Operation, tries: dict[str, list[tuple[Place, str]]], operator: Caller) -> None:
    for place, nasty in tries[name(operation)]:
        answer = send(operator, operation, with_nasty(operation.body, place.path, nasty))
        refused_in_words(answer)
        assert answer.status_code >= 400 or nasty not in UNREADABLE.values()


@pytest.mark.parametrize("operation", WITH_BODY, ids=name)
def test_no_body_is_it(operation: Operation, operator: Caller) -> None:
    values = {} if operation.path in READ_ALIKE else VALUES | UNREADABLE
    for body in (*BODIES.values(), *(nasty.encode() for nasty in values.values())):
        refused_in_words(send(operator, operation, body))


@pytest.mark.database
@pytest.mark.parametrize("operation", READS + WRITES + FLAGS, ids=name)
def test_no_path_query_or_header_takes_it(operation: Operation, operator: Caller) -> None:
    body = json.dumps(operation.body) if operation.body is not None else ""
    head, slash, tail = operation.path.partition("/")
    paths = [f"{head}/{segment}{slash and '/'}{tail.partition('/')[2]}" for segment in SEGMENTS]
    paths += [f"{operation.path}/{segment}" for segment in SEGMENTS]
    queries = zip(QUERIES, cycle(SEGMENTS), strict=False)
    paths += [f"{operation.path}?{_quoted(query)}={segment}" for query, segment in queries]
    for path in dict.fromkeys((operation.path, *paths)):
        refused_in_words(send(operator, Operation(operation.method, path, 0, None), body))
    for header, value in HEADERS.items():
        client = Client(headers={**(operator.client.headers or {}), header: value}, raise_request_exception=False)
        kind = value if header == "content-type" else "application/json"
        with transaction.atomic():
            refused_in_words(client.generic(operation.method, f"/api/v1/{operation.path}", body, kind))
            transaction.set_rollback(True)


def _quoted(text: str) -> str:
    return {"\x00": "%00", "\ud800": "%ED%A0%80"}.get(text, text)
