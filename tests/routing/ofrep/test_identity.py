"""A targeting key is the user that the edge takes the same text for, whatever blanks stand around it."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from routing.allocation.unit_identity import unit_hash
from routing.ofrep.context import read_context
from routing.ofrep.flag_errors import FlagError
from routing.table import Arm, Endpoint, Unit, UnitSource
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import run_model_server
from tests.visitors.callers import Caller

KEY = b"key"
NO_BREAK, IDEOGRAPHIC, FILE_SEPARATOR, NEXT_LINE = "\u00a0", "\u3000", "\x1c", "\x85"
BLANK = st.text(
    st.sampled_from([" ", "\t", NO_BREAK, IDEOGRAPHIC, "\u2003", "\u2028", NEXT_LINE, "\ufeff"]), max_size=3
)
CORE = st.sampled_from(["", "ada", "Zoë", "a b", "7"])
CONTROL = "\n\r\v\f\x1c\x1d\x1e\x1f"


def endpoint(key: str, unit: Unit) -> Endpoint:
    arms = Arm("control", "stable", 0, 5_000), Arm("new", "stable", 5_000, 10_000)
    return make_endpoint(key, make_experiment(f"{key}-halves", *arms), path_prefix=f"/{key}", unit=unit)


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEnvoy]:
    endpoints = (
        endpoint("header", Unit(UnitSource.HEADER, "x-user-id")),
        endpoint("body", Unit(UnitSource.BODY, "user")),
    )
    with run_model_server("stable") as server:
        table = make_table(*endpoints, backends=(make_backend("stable", server.address),))
        with run_envoy(tmp_path_factory.mktemp("edge"), table) as running:
            yield running


def flag_unit(text: str) -> int | None:
    """Whom a flag is evaluated for, as rows name units; None for nobody."""
    try:
        return unit_hash(KEY, read_context({"context": {"targetingKey": text}}).unit)
    except FlagError:
        return None


def row_of(envoy: RunningEnvoy, path: str, body: object, headers: dict[str, bytes]) -> dict[str, Any]:
    """What the edge writes down of a request whose headers are sent as they are, blanks and all."""
    connection = http.client.HTTPConnection("127.0.0.1", envoy.port)
    with closing(connection):
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json", **headers})
        response = connection.getresponse()
        response.read()
        return envoy.row(response.headers["x-request-id"])


BY_HYPOTHESIS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.slow
@BY_HYPOTHESIS
@given(BLANK, CORE, BLANK)
@example(NO_BREAK, "", "")
@example(" \t", "", "")
@example(NO_BREAK, "ada", IDEOGRAPHIC)
def test_a_flag_is_for_the_user_of_the_header(envoy: RunningEnvoy, before: str, core: str, after: str) -> None:
    text = before + core + after
    row = row_of(envoy, "/header", {}, {"x-user-id": text.encode()})
    assert flag_unit(text) == row["unit"]


@pytest.mark.slow
@BY_HYPOTHESIS
@given(st.one_of(BLANK, st.text(CONTROL, max_size=2)), CORE, st.one_of(BLANK, st.text(CONTROL, max_size=2)))
@example(FILE_SEPARATOR, "", "")
@example(FILE_SEPARATOR, "ada", "\x1f")
@example("\r\n", "ada", "\v")
def test_a_flag_is_for_the_user_of_the_body(envoy: RunningEnvoy, before: str, core: str, after: str) -> None:
    text = before + core + after
    row = row_of(envoy, "/body", {"user": text}, {})
    assert flag_unit(text) == row["unit"]


@pytest.mark.parametrize("text", [NO_BREAK, IDEOGRAPHIC, NEXT_LINE, "\u2028", "\ufeff"])
def test_blanks_that_no_header_loses_are_a_name(text: str) -> None:
    assert read_context({"context": {"targetingKey": text}}).unit == text
    assert read_context({"context": {"targetingKey": f" {text}ada{text}\t"}}).unit == f"{text}ada{text}"


@pytest.mark.parametrize(("text", "code"), [("", "TARGETING_KEY_MISSING"), (" \t", "TARGETING_KEY_MISSING")])
def test_nothing_but_the_blanks_of_a_header_is_no_key(operator: Caller, text: str, code: str) -> None:
    body = json.dumps({"context": {"targetingKey": text}})
    answer = operator.client.post("/ofrep/v1/evaluate/flags", body, "application/json")
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)


def test_a_control_character_is_said_to_be_one() -> None:
    with pytest.raises(FlagError) as caught:
        read_context({"context": {"targetingKey": FILE_SEPARATOR}})
    assert caught.value.protocol_code == "INVALID_CONTEXT"


def test_the_texts_that_stand_for_headers_lose_what_headers_lose() -> None:
    context = read_context({"context": {"targetingKey": "ada", "X-Country": " DE\t", "x-city": f"{NO_BREAK}Ulm"}})
    assert (context.headers["x-country"], context.headers["x-city"]) == ("DE", f"{NO_BREAK}Ulm")
