"""Errors: their form, their words, and that nonsense never breaks anything."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from tests.factories.drafts import backend, draft, draft_data, endpoint
from tests.visitors.callers import Caller

nonsense = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
WRITE_PATHS = (
    ("POST", "backends"),
    ("PATCH", "backends/stable"),
    ("POST", "endpoints"),
    ("PATCH", "endpoints/chat"),
    ("POST", "metrics"),
    ("PATCH", "metrics/cost-per-request"),
    ("POST", "experiments"),
    ("POST", "experiments/waiting/start"),
    ("POST", "experiments/waiting/halt"),
    ("POST", "experiments/waiting/promote"),
    ("POST", "events"),
)


@pytest.fixture(scope="module", autouse=True)
def _things(module_database: None) -> None:
    endpoint()
    draft("waiting", traffic=10)


def problem(answer: Any) -> dict[str, Any]:
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.content)
    assert set(body) == {
        "type",
        "title",
        "status",
        "detail",
        "code",
        "next_step",
        "problems",
        "more_problems",
        "request_id",
    }
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:sluice:{body['code']}"
    assert body["request_id"] == answer["X-Request-Id"]
    assert "_" not in body["code"]
    assert body["detail"]
    assert body["next_step"].endswith(".")
    return body


@given(body=nonsense, data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_nonsense_is_refused_and_breaks_nothing(operator: Caller, body: object, data: st.DataObject) -> None:
    method, path = data.draw(st.sampled_from(WRITE_PATHS))
    answer = operator.send(method, path, body)
    assert answer.status_code < 500 or answer.status_code == 503
    if answer.status_code >= 400:
        problem(answer)


@given(mutation=nonsense, data=st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_form_with_one_wrong_part_is_refused(operator: Caller, mutation: object, data: st.DataObject) -> None:
    form = draft_data("fuzzed")
    place = data.draw(st.sampled_from([form, form["plan"], form["plan"]["stages"][0], form["candidates"][0]]))
    place[data.draw(st.sampled_from(sorted(place)))] = mutation
    answer = operator.send("POST", "experiments", form)
    assert answer.status_code in (201, 400)
    if answer.status_code == 201:
        assert operator.send("DELETE", f"experiments/{json.loads(answer.content)['key']}").status_code == 204


def test_broken_json_names_line_and_column(operator: Caller) -> None:
    body = problem(operator.send("POST", "backends", b'{\n "key": nope}'))
    assert body["status"] == 400
    assert "line 2, column 9" in body["detail"]


def test_every_wrong_field_is_named(operator: Caller) -> None:
    body = problem(operator.send("POST", "backends", {"key": "Bad Key", "adresses": []}))
    assert {field["field"] for field in body["problems"]} >= {"adresses"}
    body = problem(operator.send("POST", "backends", {"key": "Bad Key", "name": "", "addresses": []}))
    assert {field["field"] for field in body["problems"]} == {"key", "name", "addresses"}


def test_a_problem_of_a_list_names_the_index(operator: Caller) -> None:
    events = {"events": [{"id": "1", "name": "ok", "unit": "ada"}, {"id": "2", "name": "ok"}]}
    body = problem(operator.send("POST", "events", events))
    assert [field["field"] for field in body["problems"]] == ["events.1"]


@pytest.mark.parametrize("path", ["nothing", "backends/", "backends/none", "experiments/none/decisions"])
def test_what_does_not_exist_is_a_problem_too(operator: Caller, path: str) -> None:
    assert problem(operator.get(path))["status"] == 404


def test_a_wrong_method_and_a_wrong_type_are_problems_too(operator: Caller) -> None:
    assert problem(operator.send("PUT", "backends/stable", {}))["status"] == 405
    answer = operator.client.post("/api/v1/backends", "key=a", content_type="text/plain")
    assert problem(answer)["status"] == 415


def test_an_address_that_edges_cannot_use_is_refused(operator: Caller) -> None:
    body = problem(operator.send("POST", "backends", {"key": "b", "name": "B", "addresses": ["not an address"]}))
    assert body["status"] == 400
    assert operator.get("backends/b").status_code == 404


def test_what_is_in_use_cannot_be_removed(operator: Caller) -> None:
    backend("stable")
    body = problem(operator.send("DELETE", "backends/stable"))
    assert (body["status"], body["code"]) == (409, "in-use")


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v2/backends", "/ofrep", "/ofrep/v1/nothing", "/api/v1/a/b/c"])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_every_path_below_the_api_answers_a_problem(operator: Caller, method: str, path: str) -> None:
    body = problem(operator.client.generic(method, path))
    assert (body["status"], body["title"]) == (404, "Not found")


def test_paths_of_pages_answer_pages(operator: Caller) -> None:
    assert operator.client.get("/apiary")["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "title"),
    [
        ("GET", "backends/none", {}, 404, "Not found"),
        ("PUT", "backends/stable", {}, 405, "Method not allowed"),
        ("GET", "backends", {"accept": "application/xml"}, 406, "Not acceptable"),
        ("GET", "schema/", {"accept": "application/xml"}, 406, "Not acceptable"),
        ("POST", "backends", {"content-type": "text/plain"}, 415, "Unsupported media type"),
        ("POST", "backends", {"content-type": "multipart/form-data; boundary=x"}, 415, "Unsupported media type"),
    ],
)
def test_each_refusal_has_its_own_title(
    operator: Caller, method: str, path: str, headers: dict[str, str], status: int, title: str
) -> None:
    kind = headers.get("content-type", "application/json")
    body = problem(operator.client.generic(method, f"/api/v1/{path}", "{}", kind, headers=headers))
    assert (body["status"], body["title"]) == (status, title)


def test_a_stranger_gets_a_problem_where_others_get_yaml(stranger: Caller) -> None:
    body = problem(stranger.get("schema/"))
    assert (body["status"], body["code"]) == (401, "not-authenticated")


def test_a_wrong_host_is_a_problem(operator: Caller, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["sluice.example.com"]
    assert problem(operator.client.get("/api/v1/backends", headers={"host": "elsewhere"}))["status"] == 400


@pytest.mark.parametrize(
    ("body", "field", "word"),
    [
        ('{"name": "half \\ud800"}', "name", "U+D800"),
        ('{"name": "a\\u0000"}', "name", "U+0000"),
        ('{"prompt_price": 1e999}', "prompt_price", "finite"),
        ('{"prompt_price": NaN}', "prompt_price", "finite"),
        ('{"prompt_price": -Infinity}', "prompt_price", "finite"),
        ('{"concurrency": 9223372036854775808}', "concurrency", "64 bits"),
        ('{"concurrency": -%s}' % ("9" * 6000), "concurrency", "64 bits"),
        ('{"addresses": ["http://a", "\\udfff"]}', "addresses.1", "U+DFFF"),
        ('{"addresses": [%s1]}' % ("1," * 1000), "addresses", "at most 1000"),
        ('{"\\ud800": 1}', "body", "U+D800"),
    ],
)
def test_what_cannot_be_stored_is_refused_by_its_name(operator: Caller, body: str, field: str, word: str) -> None:
    answer = problem(operator.send("PATCH", "backends/stable", body))
    assert answer["status"] == 400
    [wrong] = answer["problems"]
    assert wrong["field"] == field
    assert word in wrong["message"]


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize(("depth", "status"), [(64, 400), (65, 400), (3_000, 400), (100_000, 400)])
def test_depth_is_bounded(operator: Caller, opening: str, depth: int, status: int) -> None:
    closing = "]" if opening == "[" else "}"
    body = f"{opening * (depth - 1)}{'[]' if opening == '[' else '{}'}{closing * (depth - 1)}"
    answer = problem(operator.send("POST", "backends", body))
    assert answer["status"] == status
    assert ("inside each other" in answer["detail"]) == (depth > 64)


def test_a_body_may_have_2_and_a_half_mib(operator: Caller) -> None:
    fits, more = (json.dumps({"name": "a" * (size - 12)}) for size in (2_621_440, 2_621_441))
    assert len(fits) == 2_621_440
    assert problem(operator.send("PATCH", "backends/stable", fits))["status"] == 400
    body = problem(operator.send("PATCH", "backends/stable", more))
    assert (body["status"], body["code"], body["title"]) == (413, "request-too-large", "Content too large")
    assert "2621440 bytes" in body["next_step"]


def test_of_many_problems_the_first_are_named_and_the_others_counted(operator: Caller) -> None:
    events = {"events": [{"id": "", "name": "ok", "unit": "ada"}] * 1000}
    answer = operator.send("POST", "events", events)
    body = problem(answer)
    assert len(body["problems"]) == 20
    assert body["more_problems"] == 980
    assert len(answer.content) < 5_000


def test_long_texts_are_not_repeated_whole(operator: Caller) -> None:
    answer = operator.send("POST", "endpoints", {"k" * 50_000: 1, "conditions": ["x" * 100_000]})
    assert len(answer.content) < 5_000
    problem(answer)


def test_a_control_character_in_path_query_or_cookie_is_refused(operator: Caller) -> None:
    for path, field in (("backends/%00", "path"), ("experiments?endpoint=%00", "endpoint")):
        body = problem(operator.get(path))
        assert (body["status"], body["problems"][0]["field"]) == (400, field)
    # A quoted cookie may spell any character by its octal number.
    answer = operator.client.get("/api/v1/backends", headers={"cookie": r'sluice_session="\000abcdefgh"'})
    assert problem(answer)["problems"][0]["field"] == "cookie"
