"""Servers of Anthropic's Messages API."""

from routing.kinds.types import CacheShares, Count, ErrorForm, Kind, Question, Ready, Shape, Told

# Its count of prompt tokens leaves out those of the prompt cache, which are counted beside it. A stream tells them all
# at its start, and again near its end where tools have added to them; those of its completion grow until then.
USAGE = (
    Told(Count.PROMPT_TOKENS, "input_tokens"),
    Told(Count.COMPLETION_TOKENS, "output_tokens"),
    Told(Count.CACHE_WRITE_TOKENS, "cache_creation_input_tokens"),
    Told(Count.CACHE_READ_TOKENS, "cache_read_input_tokens"),
)

# An answer may be empty, and then has but a reason why it stopped.
MESSAGE = Shape(r"/messages", holds=("content", "stop_reason"), ends=("message_stop",), stops=("stop_reason",))

ANTHROPIC = Kind(
    key="anthropic",
    label="Anthropic Messages",
    about="Any server that speaks Anthropic's Messages API, hosted or your own.",
    ready=Ready(
        Question("/v1/models", headers=(("anthropic-version", "2023-06-01"),)),
        "It lists its models to who may call it. The API documents no path for health.",
    ),
    plain=USAGE,
    streamed=USAGE,
    shapes=(MESSAGE,),
    # What it charges for the prompt cache, of five minutes, by its price list.
    cache=CacheShares(written=1.25, read=0.1),
    model_in_path=r"/models/([^/:?]+)",
    errors=ErrorForm.ANTHROPIC,
)
