"""Servers of OpenAI's API that are none of the kinds with a name of their own."""

from routing.kinds.types import DONE, FAILS, Count, Kind, Question, Ready, Shape, Streams, Told

# What the chat and embeddings APIs call them, and what the Responses API does.
_NAMES = (
    (Count.PROMPT_TOKENS, "prompt_tokens"),
    (Count.PROMPT_TOKENS, "input_tokens"),
    (Count.COMPLETION_TOKENS, "completion_tokens"),
    (Count.COMPLETION_TOKENS, "output_tokens"),
    (Count.TOTAL_TOKENS, "total_tokens"),
)

USAGE = tuple(Told(count, f"usage.{name}") for count, name in _NAMES)

# A stream of chat tells it in its last event, and only when `stream_options.include_usage` asks for that; some servers
# tell it with a choice, or as Groq does. The Responses API always tells it, in the answer that its last event holds.
STREAMED_USAGE = tuple(
    Told(count, f"{of}.{name}")
    for of in ("usage", "choices.*.usage", "x_groq.usage", "response.usage")
    for count, name in _NAMES
)

# What a message, or a part of one, may hold; the fifth and sixth are what servers call what a model thinks.
_MESSAGE = (
    "content",
    "tool_calls",
    "function_call",
    "refusal",
    "reasoning_content",
    "reasoning",
    "audio",
    "images",
)
_TEXT = "choices.*.text"

# OpenRouter and vLLM end a choice for an error, OpenRouter with the error beside it.
_CHOICE_FAILS = ("choices.*.error", "choices.*.finish_reason=error")

COMPLETIONS = Shape(
    r"/completions",
    holds=(*(f"choices.*.message.{name}" for name in _MESSAGE), _TEXT),
    parts=(*(f"choices.*.{of}.{name}" for of in ("delta", "message") for name in _MESSAGE), _TEXT),
    ends=(DONE,),
    stops=("choices.*.finish_reason",),
    refusals=("choices.*.message.refusal", "choices.*.delta.refusal"),
    fails=(*FAILS, *_CHOICE_FAILS),
    streams=Streams.ASKED,
)

# An answer that is worked out in the background holds nothing yet.
RESPONSES = Shape(
    r"/responses",
    holds=("output", "background"),
    parts=("response.output", "item", "delta", "text", "refusal"),
    ends=("response.completed", "response.incomplete"),
    stops=("incomplete_details.reason", "response.incomplete_details.reason"),
    refusals=("output.*.content.*.refusal", "response.output.*.content.*.refusal"),
    fails=(*FAILS, "response.error", "status=failed", "status=cancelled", "response.status=failed"),
    streams=Streams.ASKED,
)

SHAPES = (
    COMPLETIONS,
    RESPONSES,
    Shape(r"/(?:embeddings|pooling)", holds=("data",), completes=False),
    Shape(r"/(?:rerank|score|classify|moderations)", holds=("results", "data", "*.score"), completes=False),
)

OPENAI = Kind(
    key="openai",
    label="OpenAI-compatible",
    about="Any server that speaks OpenAI's API, hosted or your own.",
    ready=Ready(Question("/health"), "OpenAI's API documents no such path; most servers of it answer here."),
    plain=USAGE,
    streamed=STREAMED_USAGE,
    shapes=SHAPES,
    # `/v1/models/<id>` of the API itself, `/openai/deployments/<name>/…` of Azure.
    model_in_path=r"/(?:models|deployments)/([^/:?]+)",
)
