"""Servers of OpenAI's API that are none of the kinds with a name of their own."""

from routing.kinds.types import Count, Kind, Question, Ready, Told

# A stream tells it in its last event, and only when `stream_options.include_usage` asks for that.
USAGE = (
    Told(Count.PROMPT_TOKENS, ("usage", "prompt_tokens")),
    Told(Count.COMPLETION_TOKENS, ("usage", "completion_tokens")),
)

OPENAI = Kind(
    key="openai",
    label="OpenAI-compatible",
    about="Any server that speaks OpenAI's API, hosted or your own.",
    ready=Ready(Question("/health"), "OpenAI's API documents no such path; most servers of it answer here."),
    plain=USAGE,
    streamed=USAGE,
    # `/v1/models/<id>` of the API itself, `/openai/deployments/<name>/…` of Azure.
    model_in_path=r"/(?:models|deployments)/([^/:?]+)",
)
