"""Servers of OpenAI's API that are none of the kinds with a name of their own."""

from routing.kinds.types import DONE, Count, Kind, Question, Ready, Shape, Told

# A stream of chat tells it in its last event, and only when `stream_options.include_usage` asks for that. The
# Responses API calls the same numbers otherwise, and always tells them.
USAGE = (
    Told(Count.PROMPT_TOKENS, "prompt_tokens"),
    Told(Count.PROMPT_TOKENS, "input_tokens"),
    Told(Count.COMPLETION_TOKENS, "completion_tokens"),
    Told(Count.COMPLETION_TOKENS, "output_tokens"),
    Told(Count.TOTAL_TOKENS, "total_tokens"),
)

SHAPES = (
    Shape(r"/completions", holds=("choices",), ends=(DONE,), stops=("finish_reason",)),
    Shape(r"/responses", holds=("output",), ends=("response.completed", "response.incomplete"), stops=("reason",)),
    Shape(r"/(?:embeddings|pooling)", holds=("data",), completes=False),
    Shape(r"/(?:rerank|score|classify|moderations)", holds=("results", "data"), completes=False),
)

OPENAI = Kind(
    key="openai",
    label="OpenAI-compatible",
    about="Any server that speaks OpenAI's API, hosted or your own.",
    ready=Ready(Question("/health"), "OpenAI's API documents no such path; most servers of it answer here."),
    plain=USAGE,
    streamed=USAGE,
    shapes=SHAPES,
    # `/v1/models/<id>` of the API itself, `/openai/deployments/<name>/…` of Azure.
    model_in_path=r"/(?:models|deployments)/([^/:?]+)",
)
