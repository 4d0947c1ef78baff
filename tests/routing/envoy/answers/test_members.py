"""A member counts where the API has it, and nowhere else."""

import pytest

from tests.factories.answers import document, plain
from tests.routing.envoy.answers.edge import CHAT, ERROR, NO_ANSWER, SUCCESS, Seen, seen
from tests.routing.envoy.answers.examples import CALL, HI, choice
from tests.servers.broken_servers import Answer, BrokenServer
from tests.servers.envoys import RunningEnvoy

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (document(choice(HI)), SUCCESS),
        # Only at the top is it the answer's own.
        (document({"x": choice(HI)}), NO_ANSWER),
        (document({"x": {"choices": []}}), NO_ANSWER),
        (document([choice(HI)]), NO_ANSWER),
        (document({"message": '"choices": [{"message": {"content": "Hi"}}]'}), NO_ANSWER),
        (document(choice({"content": '", "error": {"message": "x"}'})), SUCCESS),
        (document(choice({"content": '{"error": {"message": "x"}}'})), SUCCESS),
        (document(choice({"content": None, "tool_calls": [CALL]})), SUCCESS),
        (document(choice({"content": "Hi", "x": {"error": {"message": "x"}}})), SUCCESS),
        (document({**choice(HI), "metadata": {"error": "x"}}), SUCCESS),
        (plain(b'{"ch\\u006fices": [{"m\\u0065ssage": {"content": "\\u00e4"}}]}'), SUCCESS),
        (plain(b'\xef\xbb\xbf {"choices": [{"message": {"content": "Hi"}}]}\r\n\t '), SUCCESS),
        # What says that it failed, beside what it holds or within a choice.
        (document({**choice(HI), "error": {"message": "x"}}), ERROR),
        (document({**choice(HI), "error": "x"}), ERROR),
        (plain(b'{"\\u0065rror": {"message": "x"}}'), ERROR),
        (document(choice(HI, error={"code": 502, "message": "Provider disconnected"})), ERROR),
        (document(choice(HI, finish="error")), ERROR),
        # As FastChat and Baidu write one.
        (document({**choice({"content": "**NETWORK ERROR**"}), "error_code": 50002}), ERROR),
        (document({"error_code": 110, "error_msg": "Access token invalid or no longer valid"}), ERROR),
        (document({**choice(HI), "error_code": 0}), SUCCESS),
        (document({**choice(HI), "error_code": None}), SUCCESS),
        (document({**choice(HI), "error_code": ""}), SUCCESS),
        (document({**choice(HI), "error": None}), SUCCESS),
        (document(choice(HI, error=None)), SUCCESS),
        # It holds nothing.
        (document(choice({"role": "assistant", "content": ""})), NO_ANSWER),
        (document(choice({"role": "assistant", "content": None})), NO_ANSWER),
        (document(choice({"role": "assistant", "tool_calls": []})), NO_ANSWER),
        (document({"choices": [{}]}), NO_ANSWER),
        # Content is a text or null, by the API, and a name of a function a text.
        *((document(choice({"content": value})), NO_ANSWER) for value in (5, 0, -1.5, True, False, {"text": "Hi"})),
        (document(choice({"content": ["Hi"]})), NO_ANSWER),
        (document(choice({"content": [{"type": "text", "text": 5}]})), NO_ANSWER),
        (document(choice({"content": None, "tool_calls": [{"function": {"name": 5}}]})), NO_ANSWER),
        (document(choice({"content": None}, finish="content_filter")), NO_ANSWER),
        # It holds something else than text.
        (document(choice({"content": None, "refusal": "I will not."})), SUCCESS),
        (document(choice({"content": None, "audio": {"id": "audio_1", "data": "UklGR"}})), SUCCESS),
        (document(choice({"content": None, "function_call": {"name": "f", "arguments": "{}"}})), SUCCESS),
    ],
)
def test_a_member_counts_where_the_api_has_it(
    envoy: RunningEnvoy, server: BrokenServer, answer: Answer, expected: Seen
) -> None:
    server.answer = answer

    assert seen(envoy, CHAT) == expected
