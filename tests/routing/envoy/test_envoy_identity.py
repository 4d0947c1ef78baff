"""One identity a user: however a client writes it, assignment, record, outcome and flag mean the same user."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from routing.allocation.assign import assign
from routing.allocation.unit_identity import canonical_unit, unit_hash
from routing.envoy import FORCED_VARIANT_HEADER
from routing.table import Arm, Endpoint, RateLimit, RateLimitScope, Unit, UnitSource
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import run_model_server

pytestmark = pytest.mark.slow

KEY = b"key"
NAME = "Jürgen"


def halves(key: str, unit: Unit) -> Endpoint:
    arms = Arm("control", "stable", 0, 5_000), Arm("new", "stable", 5_000, 10_000)
    return make_endpoint(key, make_experiment(f"{key}-halves", *arms), path_prefix=f"/{key}", unit=unit)


HEADER = halves("header", Unit(UnitSource.HEADER, "x-user-id"))
BODY = halves("body", Unit(UnitSource.BODY, "metadata.user_id"))
COOKIE = halves("cookie", Unit(UnitSource.COOKIE, "visitor"))


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEnvoy]:
    with run_model_server("stable") as server:
        table = make_table(HEADER, BODY, COOKIE, backends=(make_backend("stable", server.address),))
        with run_envoy(tmp_path_factory.mktemp("edge"), table) as running:
            yield running


def row_of(envoy: RunningEnvoy, path: str, **request: Any) -> dict[str, Any]:
    response = httpx.post(f"{envoy.url}{path}", **{"json": {}, **request})
    return envoy.row(response.headers["x-request-id"])


def by_body(envoy: RunningEnvoy, written: str) -> dict[str, Any]:
    content = f'{{"metadata": {{"user_id": {written}}}}}'.encode()
    return row_of(envoy, "/body", json=None, content=content, headers={"content-type": "application/json"})


def is_measured_as(row: dict[str, Any], endpoint: Endpoint, unit: str) -> bool:
    """Whether a row is of the unit that an outcome of this text is of, and of the arm that a flag of it has."""
    found = assign(endpoint, unit)
    same = (row["unit"], row["variant"]) == (unit_hash(KEY, canonical_unit(unit)), found.variant)
    return same and row["without_unit"] is None


@pytest.mark.parametrize("unit", ["alice", NAME, "塩", "😀 b", "a b", "1", "true", "1.5", "1e5", "1470944601309528073"])
def test_a_unit_is_the_same_in_a_header_a_body_and_an_outcome(envoy: RunningEnvoy, unit: str) -> None:
    assert is_measured_as(row_of(envoy, "/header", headers={"x-user-id": unit.encode()}), HEADER, unit)
    assert is_measured_as(by_body(envoy, f'"{unit}"'), BODY, unit)


@pytest.mark.parametrize("sent", [NAME.encode("utf-8"), NAME.encode("latin-1")])
def test_a_header_in_latin_1_is_the_user_that_it_is_in_utf_8(envoy: RunningEnvoy, sent: bytes) -> None:
    assert is_measured_as(row_of(envoy, "/header", headers=[(b"x-user-id", sent)]), HEADER, NAME)
    assert is_measured_as(row_of(envoy, "/cookie", headers=[(b"cookie", b"visitor=" + sent)]), COOKIE, NAME)


@pytest.mark.parametrize("blank", [" ", "\\t", "\\n", "\\r\\n", " \\u000b"])
def test_blanks_at_the_ends_do_not_count(envoy: RunningEnvoy, blank: str) -> None:
    assert is_measured_as(by_body(envoy, f'"{blank}alice{blank}"'), BODY, "alice")
    assert is_measured_as(by_body(envoy, '"alice"'), BODY, " alice\t")


@pytest.mark.parametrize("number", [0, 7, -7, 1470944601309528072, 1470944601309528073, 2**63 - 1, -(2**63)])
def test_a_whole_number_is_its_digits(envoy: RunningEnvoy, number: int) -> None:
    assert is_measured_as(by_body(envoy, str(number)), BODY, str(number))


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        ("1.5", "inexact-number"),
        ("1e3", "inexact-number"),
        ("-9223372036854775809", "inexact-number"),
        (str(2**63), "unreadable-json"),
        (str(2**64 - 1), "unreadable-json"),
        (str(2**64), "inexact-number"),
        ("true", "not-text"),
        ("null", "absent"),
        ("{}", "absent"),
        ('["alice"]', "absent"),
        ('""', "absent"),
        ('"  "', "absent"),
        (r'"a\u0000b"', "control-characters"),
        (f'"{"x" * 1_001}"', "too-long"),
    ],
)
def test_what_cannot_be_told_from_others_is_no_unit_and_says_why(envoy: RunningEnvoy, written: str, cause: str) -> None:
    row = by_body(envoy, written)

    assert (row["unit"], row["experiment"], row["without_unit"]) == (None, None, cause)
    assert row["status"] == 200


@pytest.mark.parametrize(
    ("request_", "cause"),
    [
        ({"headers": {"content-type": "text/plain"}, "content": b'{"metadata": {"user_id": "a"}}'}, "not-json"),
        ({"content": b'{"metadata": {"user_id": "a"}}'}, "not-json"),
        ({"json": {"user": "a"}}, "absent"),
    ],
)
def test_a_request_without_a_unit_says_why(envoy: RunningEnvoy, request_: dict[str, Any], cause: str) -> None:
    row = row_of(envoy, "/body", **{"json": None, **request_})

    assert (row["unit"], row["without_unit"], row["status"]) == (None, cause, 200)


@pytest.mark.parametrize("more", [f'"seed": {2**64 - 1}', r'"prompt": "\ud83d"', '"temperature": NaN', '"seed": 1e999'])
def test_what_else_is_in_a_body_may_hide_its_unit(envoy: RunningEnvoy, more: str) -> None:
    """RFC 8259 allows any number and any escape; Envoy reads none of these, and no part of what holds one."""
    content = f'{{"metadata": {{"user_id": "alice"}}, {more}}}'.encode()

    row = row_of(envoy, "/body", json=None, content=content, headers={"content-type": "application/json"})

    assert (row["unit"], row["without_unit"], row["status"]) == (None, "unreadable-json", 200)


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate, gzip"])
def test_a_compressed_request_that_would_have_to_be_read_is_refused(envoy: RunningEnvoy, encoding: str) -> None:
    headers = {"content-encoding": encoding, "content-type": "application/json"}
    refused = httpx.post(f"{envoy.url}/body", content=b"\x1f\x8b", headers=headers)
    passed = httpx.post(f"{envoy.url}/header", content=b"{}", headers={**headers, "x-user-id": "alice"})

    assert (refused.status_code, refused.json()["code"]) == (415, "body-compressed")
    assert envoy.row(refused.headers["x-request-id"])["result"] == "refused"
    assert passed.status_code == 200


def test_a_forced_variant_is_nobodys_unit_either_way(envoy: RunningEnvoy) -> None:
    row = row_of(envoy, "/header", headers={"x-user-id": NAME.encode(), FORCED_VARIANT_HEADER: "header-halves/new"})

    assert (row["forced"], row["experiment"]) == (True, None)


def test_numbers_of_one_double_are_two_users_of_a_limit_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    with run_model_server("stable") as server:
        limited = replace(BODY, rate_limits=(RateLimit(1, 3600, RateLimitScope.UNIT),))
        table = make_table(limited, backends=(make_backend("stable", server.address),))
        with run_envoy(tmp_path_factory.mktemp("limited"), table) as running:
            statuses = [
                by_body(running, written)["status"] for written in ("1470944601309528072", "1470944601309528073")
            ]

    assert statuses == [200, 200]
