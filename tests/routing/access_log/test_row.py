"""From a line of the access log to a request row."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.access_log import BrokenLineError, to_row
from routing.allocation.unit_identity import unit_hash
from tests.factories.log_lines import ANSWER, make_line

KEY = b"k" * 32


def row(facts: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return to_row(make_line(facts, **changes), "edge-1", KEY)


def test_a_line_becomes_a_row() -> None:
    assert row() == {
        "time": "2026-11-23T19:07:03.779934Z",
        "request_id": "12976639-d1ed-41da-ba40-edfbb1b5d107",
        "edge": "edge-1",
        "unit": unit_hash(KEY, "alice"),
        "endpoint": "chat",
        "backend": "stable",
        "experiment": "new-model",
        "variant": "control",
        "stage": 2,
        "table_version": 7,
        "shadow": False,
        "forced": False,
        "status": 200,
        "flags": "",
        "duration_ms": 33.269,
        "ttft_ms": 33.114,
        "prompt_tokens": 11,
        "completion_tokens": 22,
        "cost": (11 * 1 + 22 * 2) / 1_000_000,
        "answered_by": "stable",
        "retries": 0,
        "finish": "complete",
        "inter_token_ms": None,
        "tier": None,
        "held_out": False,
        "queue_ms": None,
        "client": None,
        "stream": None,
        "result": "success",
        "failure": None,
        "stop": None,
        "without_unit": None,
        "unreadable": None,
        "kept_share": None,
        "run": "",
    }


def test_what_is_not_measured_has_no_experiment() -> None:
    unmeasured = row({"experiment": None, "variant": None, "stage": None}, unit=None)

    assert (unmeasured["experiment"], unmeasured["variant"], unmeasured["stage"]) == (None, None, None)
    assert unmeasured["unit"] is None


def test_an_answer_that_never_ended_lasts_as_long_as_the_request() -> None:
    broken_off = row(duration_us=None, ttft_us=None, status=0, flags="DC")

    assert (broken_off["duration_ms"], broken_off["ttft_ms"]) == (33, None)
    assert (broken_off["status"], broken_off["flags"]) == (0, "DC")


@pytest.mark.parametrize(
    ("facts", "answer", "cost"),
    [
        ({"prompt_tokens": None, "completion_tokens": None}, {}, None),
        ({"prompt_tokens": None}, {}, None),
        ({"completion_tokens": None}, {}, None),
        ({"completion_tokens": None}, {"completion_price": 0}, 11 / 1_000_000),
        ({"prompt_tokens": 0, "completion_tokens": 1}, {"completion_price": 3}, 3 / 1_000_000),
        ({}, {"prompt_price": 0.15, "completion_price": 0.6}, (11 * 0.15 + 22 * 0.6) / 1_000_000),
    ],
)
def test_a_cost_is_known_when_all_that_costs_is(
    facts: dict[str, Any], answer: dict[str, Any], cost: float | None
) -> None:
    assert row(facts, answered_by={**ANSWER, **answer})["cost"] == cost


@pytest.mark.parametrize("completion", [0, None])
def test_who_counts_nothing_of_an_answer_does_not_count(completion: int | None) -> None:
    told = {"prompt_tokens": 0, "completion_tokens": completion}
    answered, failed = row(told), row(told, status=500)

    assert (answered["prompt_tokens"], answered["completion_tokens"], answered["cost"]) == (None, None, None)
    assert answered["unreadable"] == "prompt_tokens"
    assert failed["prompt_tokens"] == 0


def test_a_fallback_is_told_apart_and_costs_its_own_price() -> None:
    fallen_back = row(answered_by={"backend": "api", "prompt_price": 10, "completion_price": 0})

    assert (fallen_back["backend"], fallen_back["answered_by"]) == ("stable", "api")
    assert fallen_back["cost"] == 11 * 10 / 1_000_000


def test_nobody_answered() -> None:
    unanswered = row(answered_by=None, flags="UH", status=503)

    assert (unanswered["answered_by"], unanswered["cost"], unanswered["finish"]) == (None, None, "backend")


@pytest.mark.parametrize(
    ("flags", "finish"),
    [("-", "complete"), ("DC", "client"), ("UT", "timeout"), ("UC", "backend"), ("UF,URX", "backend")],
)
def test_how_an_answer_ended(flags: str, finish: str) -> None:
    assert row(flags=flags)["finish"] == finish


def test_the_time_between_tokens_is_that_of_streams_alone() -> None:
    stream: dict[str, Any] = {"kind": "text/event-stream; charset=utf-8", "duration_us": 250_000, "ttft_us": 30_000}

    assert row(**stream)["inter_token_ms"] == 10
    assert row({"completion_tokens": None}, **stream)["inter_token_ms"] is None


@pytest.mark.parametrize(("asked", "stream"), [(True, True), (False, False), ("yes", None), (None, None)])
def test_whether_a_stream_was_asked_for_is_told_where_it_was_read(asked: object, stream: bool | None) -> None:
    assert row({"asked": asked})["stream"] is stream


def test_what_the_backend_and_the_gate_told() -> None:
    told = row({"queue_ms": 3, "client": "mobile"})

    assert (told["queue_ms"], told["client"]) == (3, "mobile")


@pytest.mark.parametrize("told", ["12.5", "1e30", "-4", "many", "1e400", "nan", "true", "9007199254740993.0"])
def test_a_number_that_is_none_is_unknown_and_named_and_the_row_stays(told: str) -> None:
    found = row({"prompt_tokens": None, "answer": {"prompt_tokens": told, "completion_tokens": "22"}})

    assert (found["prompt_tokens"], found["unreadable"]) == (None, "prompt_tokens")
    assert (found["unit"], found["variant"]) == (unit_hash(KEY, "alice"), "control")
    assert found["cost"] is None


@pytest.mark.parametrize(("told", "tokens"), [("22", 22), ("22.0", 22), ("2.2e1", 22), ("0", 0)])
def test_a_whole_number_is_one_however_it_is_written(told: str, tokens: int) -> None:
    found = row({"completion_tokens": None, "answer": {"completion_tokens": told}})

    assert (found["completion_tokens"], found["unreadable"]) == (tokens, None)


@pytest.mark.parametrize(
    ("path", "answer", "tokens"),
    [
        ("/v1/embeddings", {"prompt_tokens": "8", "total_tokens": "8"}, (8, 0)),
        ("/v1/rerank", {"total_tokens": "8"}, (8, 0)),
        ("/v1/chat/completions", {"prompt_tokens": "8"}, (8, None)),
        ("/v1/chat/completions", {"completion_tokens": "3", "total_tokens": "8"}, (5, 3)),
        ("/v1/chat/completions", {"total_tokens": "8"}, (None, None)),
    ],
)
def test_what_has_no_completion_has_no_tokens_of_one(
    path: str, answer: dict[str, str], tokens: tuple[int | None, int | None]
) -> None:
    unknown = {"prompt_tokens": None, "completion_tokens": None}
    asked: dict[str, Any] = {"method": "POST", "path": path, "answered_by": {**ANSWER, "protocol": "openai"}}
    found = row({**unknown, "answer": answer}, **asked)

    assert (found["prompt_tokens"], found["completion_tokens"]) == tokens
    assert (found["cost"] is None) == (None in tokens)


def test_attempts_after_the_first_are_retries() -> None:
    assert row(attempts=3)["retries"] == 2
    assert row(attempts=0)["retries"] == 0


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"no json",
        b"[1]",
        b"\xff\xfe",
        make_line()[:-1],
        make_line()[40:],
        make_line({"endpoint": None}),
        make_line(status="ok"),
    ],
)
def test_what_is_no_whole_line_is_broken(line: bytes) -> None:
    with pytest.raises(BrokenLineError):
        to_row(line, "edge-1", KEY)


@given(st.integers(0, len(make_line())), st.text())
def test_a_line_behind_one_that_was_cut_off_is_found(cut: int, unit: str) -> None:
    line = make_line(unit=unit)

    assert to_row(make_line()[:cut] + line, "edge-1", KEY) == to_row(line, "edge-1", KEY)


def test_a_unit_that_looks_like_a_line_changes_nothing() -> None:
    unit = make_line(status=500).decode()

    found = row(unit=unit)

    assert (found["status"], found["unit"]) == (200, unit_hash(KEY, unit))
