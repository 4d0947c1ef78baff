"""The OpenAPI document is complete and warns of nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator

ROOT = Path(__file__).resolve().parents[3]
METHODS = ("get", "post", "patch", "delete")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method} {path}", item[method]


def test_generating_it_warns_of_nothing(tmp_path: Any) -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", "--file", str(tmp_path / "schema.yaml"))


def test_the_document_in_the_repository_is_this_one(tmp_path: Any) -> None:
    written = tmp_path / "openapi.yaml"
    call_command("spectacular", "--file", str(written))
    assert (ROOT / "docs/openapi.yaml").read_text() == written.read_text(), "`make openapi` renews it."


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    incomplete = [name for name, operation in operations(document) if not operation.get("description")]
    assert incomplete == []


def test_every_operation_has_a_success_and_a_problem(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        statuses = set(operation["responses"])
        assert statuses & {"200", "201", "202", "204"}, name
        assert "401" in statuses or name == "get /api/v1/schema/", name


def test_every_verb_of_an_experiment_is_there(document: dict[str, Any]) -> None:
    verbs = {"start", "pause", "resume", "halt", "promote", "analyses", "decisions", "forecast", "spec"}
    assert {f"/api/v1/experiments/{{key}}/{verb}" for verb in verbs} <= set(document["paths"])
    properties = document["components"]["schemas"]["ExperimentSpecRequest"]["properties"]
    assert {"key", "endpoint", "control", "candidates", "plan"} <= set(properties)


def test_every_change_of_one_thing_takes_the_state_that_it_is_meant_for(document: dict[str, Any]) -> None:
    conditional = {
        name
        for name, operation in operations(document)
        if "If-Match" in {parameter["name"] for parameter in operation.get("parameters", [])}
    }
    changing = {name for name, _ in operations(document) if name.startswith(("patch ", "delete "))}
    verbs = {
        *(f"post /api/v1/experiments/{{key}}/{verb}" for verb in ("start", "resume", "promote")),
        "post /api/v1/endpoints/{key}/switch",
    }
    # A halt and a pause take hold whatever the state is.
    assert conditional == changing | verbs
    for name, operation in operations(document):
        assert ("412" in operation["responses"]) == (name in conditional), name


def test_every_write_by_post_may_be_sent_again_with_its_key(document: dict[str, Any]) -> None:
    taking = {
        name
        for name, operation in operations(document)
        if "Idempotency-Key" in {parameter["name"] for parameter in operation.get("parameters", [])}
    }
    posts = {name: told.get("x-right") for name, told in operations(document) if name.startswith("post /api/v1/")}
    # What needs no right asks who one is.
    assert taking == {name for name, right in posts.items() if right not in ("read", None)}
    assert len(taking) > 15
    for name, operation in operations(document):
        assert ("422" in operation["responses"]) == (name in taking), name


def test_every_answer_with_one_thing_tells_its_state(document: dict[str, Any]) -> None:
    told = {
        name
        for name, operation in operations(document)
        for response in operation["responses"].values()
        if "ETag" in response.get("headers", {})
    }
    things = ("backends", "endpoints", "layers", "issuers", "metrics", "experiments")
    assert {f"get /api/v1/{kind}/{{key}}" for kind in things} | {"get /api/v1/access-keys/{id}"} <= told
    assert {f"post /api/v1/{kind}" for kind in things} <= told
    assert {f"patch /api/v1/{kind}/{{key}}" for kind in things} <= told


def test_what_is_read_of_a_plan_has_the_limits_of_what_is_sent(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    limits = {"minimum", "maximum", "exclusiveMaximum", "maxLength", "pattern", "description", "type", "items"}
    compared = 0
    for read, sent in [("Plan", "PlanSpec"), ("Stage", "StageSpec"), ("PlanMetric", "MetricSpec")]:
        for name, field in schemas[sent]["properties"].items():
            if "type" in field and "$ref" not in field.get("items", {}):
                shown = schemas[read]["properties"][name]
                assert limits & field.keys() <= shown.keys(), f"{read}.{name}"
                assert all(shown[limit] == field[limit] for limit in limits & field.keys()), f"{read}.{name}"
                compared += 1
    assert compared == 16
    looks = schemas["Plan"]["properties"]["looks"]
    assert (looks["type"], looks["minimum"], looks["maximum"]) == ("integer", 1, 100)


def test_who_reads_an_experiment_is_told_what_to_send_back(document: dict[str, Any]) -> None:
    told = document["paths"]["/api/v1/experiments/{key}"]["get"]["description"]
    assert all(name in told for name in ("`…/spec`", "`by_default`", "`frozen_at`", "`broken`"))
