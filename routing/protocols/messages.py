"""Anthropic's Messages API, which other servers speak too."""

from routing.protocols.types import Count, Shape, Streams, Told

_NAMES = (
    (Count.PROMPT_TOKENS, "input_tokens"),
    (Count.COMPLETION_TOKENS, "output_tokens"),
    (Count.CACHE_WRITE_TOKENS, "cache_creation_input_tokens"),
    (Count.CACHE_READ_TOKENS, "cache_read_input_tokens"),
)

# Its count of prompt tokens leaves out those of the prompt cache, which are counted beside it. A stream tells them all
# at its start, and again near its end where tools have added to them; those of its completion grow until then.
USAGE = tuple(Told(count, f"usage.{name}") for count, name in _NAMES)
STREAMED_USAGE = tuple(Told(count, f"{of}.{name}") for of in ("message.usage", "usage") for count, name in _NAMES)

# What a block of content may hold: text, a call, or what code has made. What the model thinks is not for its user.
_BLOCK = ("text", "name", "content", "content[]", "file_id")

# What the server looks up and calls for the model is on the way to an answer.
_STEPS = (
    *("server_tool_use", "mcp_tool_use", "mcp_tool_result"),
    *(f"{name}_tool_result" for name in ("web_search", "web_fetch", "tool_search")),
)

# A turn that pauses between such steps goes on when its client sends it back.
_PAUSES = "stop_reason=pause_turn"

MESSAGE = Shape(
    r"/messages",
    holds=tuple(f"content.*.{name}" for name in _BLOCK),
    parts=(
        *(f"delta.{name}" for name in ("text", "content")),
        *(f"content_block.{name}" for name in _BLOCK),
    ),
    promises=((_PAUSES, "content[]"), (f"delta.{_PAUSES}", "index[number]")),
    voids=tuple(f"{of}.type={kind}" for of in ("content.*", "content_block") for kind in _STEPS),
    ends=("message_stop",),
    pieces=("delta.partial_json",),
    aloud=("content.*.text", "content_block.text", "delta.text"),
    form="type",
    stops=("stop_reason", "delta.stop_reason"),
    says_why=True,
    streams=Streams.ASKED,
)

# How many tokens a request has, which OpenAI's Responses API tells in the same words.
COUNTED_TOKENS = Shape(
    r"/(?:messages/count_tokens|responses/input_tokens)", holds=("input_tokens[number]",), completes=False
)
BATCHES = Shape(r"/messages/batches", holds=("id",), completes=False)

SHAPES = (MESSAGE, COUNTED_TOKENS, BATCHES)
