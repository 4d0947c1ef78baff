"""What is answered is what the API's document says: its status, its type and its form."""

import re
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from controlplane.models import Role
from tests.controlplane.api.test_permissions import READS, WRITES, Operation, _things, name
from tests.visitors.callers import Caller, caller

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]

__all__ = ["_things"]

DOCUMENTED = [each for each in READS if each.path != "schema/"]
"""The document says nothing of itself."""

NONSENSE = ("[]", '{"nobody": "knows"}', "{", '{"key": 7, "reason": [], "on": "yes", "events": [1], "name": null}')


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


def told(document: dict[str, Any], operation: Operation) -> dict[str, Any]:
    """What the document says of an operation; of a path without names before one with."""
    path = f"/api/v1/{operation.path.partition('?')[0]}"
    patterns = {each: re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(each)) for each in document["paths"]}
    fitting = [each for each in patterns if re.fullmatch(patterns[each], path)]
    found: dict[str, Any] = document["paths"][min(fitting, key=lambda each: each.count("{"))]
    return dict(found[operation.method.lower()])


def check(document: dict[str, Any], operation: Operation, answer: Any) -> None:
    """It is as documented, and no failure."""
    assert answer.status_code < 500
    responses = told(document, operation)["responses"]
    assert str(answer.status_code) in responses, f"{answer.status_code} {answer.content!r}"
    content = responses[str(answer.status_code)].get("content")
    if content is None:
        assert answer.content == b""
        return
    kind = answer["Content-Type"].partition(";")[0]
    assert kind in content
    if "json" in kind:
        schema = {**content[kind]["schema"], "components": document["components"]}
        Draft202012Validator(schema).validate(answer.json())


@pytest.mark.parametrize("operation", DOCUMENTED + WRITES, ids=name)
def test_what_is_asked_for_rightly(document: dict[str, Any], operation: Operation) -> None:
    check(document, operation, caller(Role.ADMIN).send(operation.method, operation.path, operation.body))


@pytest.mark.parametrize("operation", WRITES, ids=name)
def test_what_is_sent_wrongly(document: dict[str, Any], operation: Operation, operator: Caller) -> None:
    for body in NONSENSE:
        check(document, operation, operator.send(operation.method, operation.path, body))


@pytest.mark.parametrize("operation", DOCUMENTED, ids=name)
def test_what_is_asked_for_wrongly(document: dict[str, Any], operation: Operation, operator: Caller) -> None:
    for query in ("?limit=0", "?cursor=x", "?wait=x&only=x&state=x&endpoint=x&hours=x", "?page=0"):
        answer = operator.send(operation.method, f"{operation.path}{query}", operation.body)
        check(document, operation, answer)


@pytest.mark.parametrize("operation", DOCUMENTED + WRITES, ids=name)
def test_what_is_not_allowed(document: dict[str, Any], operation: Operation, viewer: Caller, stranger: Caller) -> None:
    for who in (viewer, stranger):
        check(document, operation, who.send(operation.method, operation.path, operation.body))
