"""Servers of OpenAI's API that are none of the kinds with a name of their own."""

from routing.protocols.types import DONE, FAILS, Count, Protocol, Question, Ready, Shape, Streams, Told

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

# What a message, or a part of one, may hold: text, parts of several kinds, calls, and what a model thinks, as servers
# call it.
_MESSAGE = (
    "content",
    *(
        f"content.*.{name}"
        for name in ("text", "refusal", "thinking", "thinking[]", "image_url", "image_url[]", "data")
    ),
    *(f"tool_calls.*.function.{name}" for name in ("name", "arguments")),
    *(f"tool_calls.*.custom.{name}" for name in ("name", "input")),
    "function_call.name",
    "function_call.arguments",
    "refusal",
    "reasoning_content",
    "reasoning",
    "audio[]",
    "images[]",
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

# What an item of the Responses API may hold: a message or a thought its parts, a call or its result one of the others.
_ITEM = (
    *(f"content.*.{name}" for name in ("text", "refusal", "transcript", "audio", "data")),
    "summary.*.text",
    "encrypted_content",
    *(f"{name}{of}" for name in ("result", "output") for of in ("", "[]")),
    *("name", "arguments", "input", "code"),
    *(f"{name}[]" for name in ("action", "actions", "operation", "outputs", "queries", "results", "tools")),
)

_RESPONSE_FAILS = ("response.status=failed", "response.status=cancelled")

# An answer that is worked out in the background holds nothing yet.
RESPONSES = Shape(
    r"/responses",
    holds=("background", *(f"output.*.{name}" for name in _ITEM)),
    parts=(
        *("delta", "text", "refusal", "arguments", "code", "partial_image_b64"),
        *(f"{of}.{name}" for of in ("item", "response.output.*") for name in _ITEM),
    ),
    ends=("response.completed", "response.incomplete"),
    stops=("incomplete_details.reason", "response.incomplete_details.reason"),
    refusals=("output.*.content.*.refusal", "response.output.*.content.*.refusal"),
    fails=(*FAILS, "response.error", "status=failed", "status=cancelled", *_RESPONSE_FAILS),
    streams=Streams.ASKED,
)

# Numbers, or what `encoding_format` makes of them; of several vectors a text, `embeddings`.
VECTORS = tuple(f"data.*.{name}" for name in ("embedding", "embedding[]", "embeddings[]", "data", "data[]"))
RANKED = ("results.*[]",)

SHAPES = (
    COMPLETIONS,
    RESPONSES,
    Shape(r"/(?:embeddings|pooling)", holds=VECTORS, completes=False),
    Shape(r"/(?:rerank|score|classify|moderations)", holds=(*RANKED, "data.*[]", "*.score"), completes=False),
)

OPENAI = Protocol(
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
