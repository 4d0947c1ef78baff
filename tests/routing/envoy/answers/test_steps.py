"""What a server looks up and runs for its model is no answer to the user until the model has said something of it.

By the types of items of OpenAI's Responses API and of blocks of Anthropic's Messages API.
"""

from typing import Any

import pytest

from tests.factories.answers import document, named_events
from tests.routing.envoy.answers.edge import MESSAGES, NO_ANSWER, RESPONSES, SUCCESS, seen
from tests.routing.envoy.answers.examples import CREATED, MESSAGE, RESPONSE, START, STOP
from tests.servers.broken_servers import BrokenServer
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow

SEARCHED_FILES = {"type": "file_search_call", "queries": ["x"], "results": [{"text": "Hi", "filename": "a.txt"}]}
SEARCHED = {"type": "web_search_call", "action": {"type": "search", "query": "x"}}
CALLED = {"type": "mcp_call", "name": "f", "arguments": "{}", "output": "Hi", "server_label": "s"}
RUN = {"type": "code_interpreter_call", "code": "1", "outputs": [{"type": "logs", "logs": "1"}]}
THOUGHT = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
SAID = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
ASKED = {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"}
APPROVAL = {"type": "mcp_approval_request", "name": "f", "arguments": "{}", "server_label": "s"}
OUTPUTS = [
    *(([step], NO_ANSWER) for step in (SEARCHED_FILES, SEARCHED, CALLED, RUN)),
    ([THOUGHT, SEARCHED, CALLED, SEARCHED_FILES], NO_ANSWER),
    ([SEARCHED_FILES, SAID], SUCCESS),
    ([SAID, CALLED], SUCCESS),
    ([THOUGHT, ASKED], SUCCESS),
    ([CALLED, APPROVAL], SUCCESS),
]


@pytest.mark.parametrize(("output", "expected"), OUTPUTS)
def test_items(envoy: RunningEnvoy, server: BrokenServer, output: list[dict[str, Any]], expected: Any) -> None:
    whole = {**RESPONSE, "output": output}
    server.answer = document(whole)
    assert seen(envoy, RESPONSES) == expected

    items = [{"type": "response.output_item.done", "item": item} for item in output]
    server.answer = named_events(CREATED, *items, {"type": "response.completed", "response": whole})
    assert seen(envoy, RESPONSES) == expected


@pytest.mark.parametrize("kind", ["mcp_call_arguments", "code_interpreter_call_code"])
def test_what_is_told_of_a_step_on_the_way(envoy: RunningEnvoy, server: BrokenServer, kind: str) -> None:
    told = [
        {"type": f"response.{kind}.delta", "delta": "{"},
        {"type": f"response.{kind}.done", "arguments": "{}", "code": "1"},
    ]
    server.answer = named_events(
        CREATED, *told, {"type": "response.completed", "response": {**RESPONSE, "output": [CALLED, RUN]}}
    )

    assert seen(envoy, RESPONSES) == NO_ANSWER


USE = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"type": "web_search_result", "url": "x"}]}
FETCHED = {"type": "web_fetch_tool_result", "tool_use_id": "s", "content": {"type": "web_fetch_result", "url": "x"}}
REMOTE = {"type": "mcp_tool_use", "id": "m", "name": "f", "server_name": "s", "input": {}}
RESULT = {"type": "mcp_tool_result", "tool_use_id": "m", "content": [{"type": "text", "text": "Hi"}]}
TEXT = {"type": "text", "text": "Hi"}
TOOL = {"type": "tool_use", "id": "t", "name": "f", "input": {}}


@pytest.mark.parametrize(
    ("blocks", "stop", "expected"),
    [
        ([USE], "end_turn", NO_ANSWER),
        ([USE, FOUND], "end_turn", NO_ANSWER),
        ([USE, FETCHED], "max_tokens", NO_ANSWER),
        ([REMOTE, RESULT], "end_turn", NO_ANSWER),
        ([{"type": "thinking", "thinking": "Hm."}, USE, FOUND], "end_turn", NO_ANSWER),
        ([USE, FOUND, {"type": "text", "text": ""}], "end_turn", NO_ANSWER),
        ([USE, FOUND, TEXT], "end_turn", SUCCESS),
        ([TEXT, USE, FOUND], "end_turn", SUCCESS),
        ([USE, FOUND, TOOL], "tool_use", SUCCESS),
        # It goes on when its client sends it back; with nothing it has not begun.
        ([USE], "pause_turn", SUCCESS),
        ([USE, FOUND], "pause_turn", SUCCESS),
        ([], "pause_turn", NO_ANSWER),
    ],
)
def test_blocks(
    envoy: RunningEnvoy, server: BrokenServer, blocks: list[dict[str, Any]], stop: str, expected: Any
) -> None:
    server.answer = document({**MESSAGE, "content": blocks, "stop_reason": stop})
    assert seen(envoy, MESSAGES, "anthropic") == expected

    begun = [{"type": "content_block_start", "index": at, "content_block": each} for at, each in enumerate(blocks)]
    over = {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 2}}
    server.answer = named_events(START, *begun, over, STOP)
    assert seen(envoy, MESSAGES, "anthropic") == expected
