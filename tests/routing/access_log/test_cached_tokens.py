"""Tokens of a prompt that Anthropic's API counts apart from the others, and what a broken stream tells."""

from typing import Any

import pytest

from routing.access_log import to_row
from tests.factories.log_lines import ANSWER, make_line

CLAUDE = {**ANSWER, "protocol": "anthropic", "prompt_price": 3, "completion_price": 15}
TOLD = {
    "whole": True,
    "holds": "content",
    "prompt_tokens": "7",
    "completion_tokens": "20",
    "cache_write_tokens": "100",
    "cache_read_tokens": "1000",
}


def row(told: dict[str, Any], answered_by: dict[str, Any] = CLAUDE, **changes: Any) -> dict[str, Any]:
    """The row of an answer that told this; None leaves one of the usual numbers out."""
    answer = {name: value for name, value in {**TOLD, **told}.items() if value is not None}
    facts = {"prompt_tokens": None, "completion_tokens": None, "answer": answer}
    changes = {"method": "POST", "path": "/v1/messages", **changes}
    return to_row(make_line(facts, answered_by=answered_by, **changes), "edge", b"key")


def test_the_whole_prompt_counts_and_each_part_has_its_price() -> None:
    found = row({})

    assert (found["prompt_tokens"], found["completion_tokens"]) == (7 + 100 + 1000, 20)
    assert found["cost"] == pytest.approx((7 * 3 + 100 * 3 * 1.25 + 1000 * 3 * 0.1 + 20 * 15) / 1_000_000)


@pytest.mark.parametrize("nothing", [None, "0"])
def test_a_prompt_need_not_have_been_cached(nothing: str | None) -> None:
    found = row({"cache_write_tokens": nothing, "cache_read_tokens": nothing})

    assert (found["prompt_tokens"], found["unreadable"]) == (7, None)
    assert found["cost"] == pytest.approx((7 * 3 + 20 * 15) / 1_000_000)


@pytest.mark.parametrize("name", ["cache_write_tokens", "cache_read_tokens"])
def test_a_part_that_is_no_number_leaves_the_whole_unknown(name: str) -> None:
    found = row({name: "12.5"})

    assert (found["prompt_tokens"], found["cost"], found["unreadable"]) == (None, None, name)
    assert found["completion_tokens"] == 20


def test_a_kind_that_counts_all_together_is_believed() -> None:
    """A proxy of OpenAI's API tells the cached ones as well, which it has counted already."""
    found = row({"holds": "choices"}, {**CLAUDE, "protocol": "openai"}, path="/v1/chat/completions")

    assert found["prompt_tokens"] == 7
    assert found["cost"] == pytest.approx((7 * 3 + 20 * 15) / 1_000_000)


@pytest.mark.parametrize(("ends", "completion"), [("message_stop", 20), ("", None)])
def test_what_a_stream_told_before_it_broke_off_is_no_count_of_its_completion(
    ends: str, completion: int | None
) -> None:
    found = row({"ends": ends}, kind="text/event-stream")

    assert (found["prompt_tokens"], found["completion_tokens"]) == (1107, completion)
    assert (found["cost"] is None) == (completion is None)
