"""Servers of OpenAI's API that are none of the kinds with a name of their own."""

from dataclasses import replace

from routing.protocols import messages
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
# tell it with a choice, or as Groq does. The Responses API always tells it, in the answer that its last event holds,
# the Messages API in the message that its first one holds.
STREAMED_USAGE = tuple(
    Told(count, f"{of}.{name}")
    for of in ("usage", "choices.*.usage", "x_groq.usage", "response.usage", "message.usage")
    for count, name in _NAMES
)

# What a message, or a part of one, may hold: text, parts of several kinds, and calls, each by its name. What the model
# thinks is not for its user, by whatever name.
_PICTURE = ("image_url", "image_url.url", "url", "b64_json", "data")
_MESSAGE = (
    "content",
    *(f"content.*.{name}" for name in ("text", "refusal", *_PICTURE)),
    *(f"{name}.name" for name in ("tool_calls.*.function", "tool_calls.*.custom", "function_call")),
    "refusal",
    *(f"audio.{name}" for name in ("data", "transcript")),
    *(f"images.*.{name}" for name in _PICTURE),
)
_ARGUMENTS = ("tool_calls.*.function.arguments", "function_call.arguments")
# Of a chunk `choices`; some servers leave them out of what tells of usage, or of no choice yet.
_CHUNK = "choices|usage|object"
_TEXT = "choices.*.text"
_OF_MESSAGES = ("message", "delta")
_THOUGHTS = ("thinking", "redacted_thinking", "reasoning", "reasoning_text")

# OpenRouter and vLLM end a choice for an error, OpenRouter with the error beside it.
_CHOICE_FAILS = ("choices.*.error", "choices.*.finish_reason=error")

CHAT = Shape(
    r"/chat/completions",
    holds=tuple(f"choices.*.message.{name}" for name in _MESSAGE),
    parts=tuple(f"choices.*.delta.{name}" for name in _MESSAGE),
    ends=(DONE,),
    stops=("choices.*.finish_reason",),
    says_why=True,
    refusals=tuple(f"choices.*.{of}.refusal" for of in _OF_MESSAGES),
    aloud=tuple(f"choices.*.{of}.{name}" for of in _OF_MESSAGES for name in ("content", "content.*.text")),
    voids=tuple(f"choices.*.{of}.content.*.type={kind}" for of in _OF_MESSAGES for kind in _THOUGHTS),
    arguments=tuple(f"choices.*.message.{name}" for name in _ARGUMENTS),
    pieces=tuple(f"choices.*.delta.{name}" for name in _ARGUMENTS),
    several=("choices.*.index",),
    every=("choices.*",),
    form=_CHUNK,
    fails=(*FAILS, *_CHOICE_FAILS),
    streams=Streams.ASKED,
)

# Text, or a message as Mistral's `/fim/completions` has it.
COMPLETIONS = replace(
    CHAT, paths=r"/completions", holds=(_TEXT, *CHAT.holds), parts=(_TEXT, *CHAT.parts), aloud=(_TEXT, *CHAT.aloud)
)

IMAGES = Shape(
    r"/images/(?:generations|edits|variations)",
    holds=tuple(f"data.*.{name}" for name in ("url", "b64_json")),
    every=("data.*",),
    parts=("b64_json",),
    ends=("image_generation.completed", "image_edit.completed"),
    form="type",
    completes=False,
    streams=Streams.FREE,
)

# Subtitles and plain text are asked for by the form that brings the sound, and so is a stream; vLLM's is one of chat.
TRANSCRIPTS = Shape(
    r"/audio/(?:transcriptions|translations)",
    holds=("text",),
    parts=("delta", "text", *CHAT.parts),
    ends=("transcript.text.done", DONE),
    form=f"type|{_CHUNK}",
    texts=("text/", "application/x-subrip"),
    streams=Streams.FREE,
)

# What formats of sound begin with, in bytes: RIFF and its chunks of format and data; FLAC's mark and STREAMINFO (RFC
# 9639); the header of a page of Ogg (RFC 3533); those of a frame of ADTS (ISO 14496-3) and of MPEG audio (ISO 11172-3).
# Of others half a sample of PCM is the least.
_SOUNDS = (
    *((f"audio/{name}", 44) for name in ("wav", "x-wav", "vnd.wave")),
    *((f"audio/{name}", 42) for name in ("flac", "x-flac")),
    *((f"audio/{name}", 28) for name in ("ogg", "opus")),
    *(("audio/aac", 7), ("audio/mpeg", 4), ("audio/", 1), ("application/octet-stream", 1)),
)

SPEECH = Shape(
    r"/audio/speech",
    holds=("audio",),
    parts=("audio",),
    ends=("speech.audio.done",),
    media=_SOUNDS,
    completes=False,
    streams=Streams.FREE,
)

# What an item of the Responses API may hold: a message its parts, a call or its result one of the others.
_ITEM = (
    *(f"content.*.{name}" for name in ("text", "refusal", "transcript", "audio", "data")),
    *(f"{name}{of}" for name in ("result", "output") for of in ("", "[]")),
    *("name", "code"),
    *(f"{name}[]" for name in ("action", "actions", "operation", "outputs", "results")),
)
_ITEMS = ("item", "response.output.*")

# Items, and events, that are on the way to an answer: what the model thinks, and what the server looks up and runs for
# it. What its client is to run is an answer.
_STEPS = (
    *("reasoning", "compaction", "mcp_list_tools"),
    *(f"{name}_call" for name in ("web_search", "file_search", "code_interpreter", "mcp")),
)
_ON_THE_WAY = (
    *(f"reasoning{of}" for of in ("", "_text", "_summary", "_summary_text")),
    *("mcp_call_arguments", "code_interpreter_call_code"),
)

_RESPONSE_FAILS = ("response.status=failed", "response.status=cancelled")

RESPONSES = Shape(
    r"/responses",
    holds=tuple(f"output.*.{name}" for name in _ITEM),
    # What is worked out in the background holds nothing yet.
    promises=tuple(("background=true", f"status={status}") for status in ("queued", "in_progress")),
    parts=(
        *("delta", "text", "refusal", "arguments", "code", "partial_image_b64"),
        *(f"{of}.{name}" for of in _ITEMS for name in _ITEM),
    ),
    arguments=("arguments", *(f"{of}.arguments" for of in ("output.*", *_ITEMS))),
    aloud=("delta", "text", *(f"{of}.content.*.text" for of in ("output.*", *_ITEMS))),
    voids=(
        *(f"{of}.type={kind}" for of in ("output.*", *_ITEMS) for kind in _STEPS),
        *(f"type=response.{kind}.{name}" for kind in _ON_THE_WAY for name in ("delta", "done")),
    ),
    ends=("response.completed", "response.incomplete"),
    form="type",
    stops=tuple(f"{of}{name}" for of in ("", "response.") for name in ("status", "incomplete_details.reason")),
    refusals=("output.*.content.*.refusal", "response.output.*.content.*.refusal"),
    fails=(*FAILS, "response.error", "status=failed", "status=cancelled", *_RESPONSE_FAILS),
    streams=Streams.ASKED,
)

# Numbers, or what `encoding_format` makes of them; of several vectors a text, `embeddings`.
VECTORS = tuple(f"data.*.{name}[+]" for name in ("embedding", "embeddings", "data"))
RANKED = tuple(f"{of}*.{name}[*]" for of in ("results.", "data.", "") for name in ("relevance_score", "score"))

# The objects of a batch, one of which without an answer leaves its client without one.
LISTED = ("results.*", "data.*", "*")

# SGLang scores and classifies in forms of its own.
_SCORED = (*RANKED, "scores[*]")
_CLASSIFIED = (*RANKED, "data.*.label", "data.*.probs[*]", "*.embedding[*]")
_MODERATED = tuple(f"results.*.{name}" for name in ("flagged[*]", "categories[]", "category_scores[]"))

# What a server keeps for its client, like a file or a thread and its messages, has an id.
_KEPT = (
    "files",
    "uploads",
    "batches",
    "assistants",
    "threads",
    "vector_stores",
    "conversations",
    "containers",
    "videos",
)
KEPT = Shape(rf"/(?:{'|'.join(_KEPT)}|threads/[^/]+/messages)", holds=("id",), completes=False)

# As vLLM, llama.cpp and TGI tell tokens of a text, and the first two the text of tokens or of a conversation.
TOKENS = Shape(r"/tokenize", holds=("tokens[]", "count[number]", "*.id[number]"), completes=False)
TEXTS = Shape(r"/(?:detokenize|apply-template)", holds=("prompt", "content"), completes=False)

SHAPES = (
    KEPT,
    *messages.SHAPES,
    TOKENS,
    TEXTS,
    CHAT,
    COMPLETIONS,
    RESPONSES,
    IMAGES,
    TRANSCRIPTS,
    SPEECH,
    Shape(r"/(?:embeddings|pooling)", holds=VECTORS, every=LISTED, completes=False),
    Shape(r"/rerank", holds=RANKED, every=LISTED, completes=False),
    Shape(r"/score", holds=_SCORED, every=LISTED, completes=False),
    Shape(r"/classify", holds=_CLASSIFIED, every=LISTED, completes=False),
    Shape(r"/moderations", holds=_MODERATED, every=LISTED, completes=False),
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
