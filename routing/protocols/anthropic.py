"""Servers of Anthropic's Messages API."""

from routing.protocols import messages, openai
from routing.protocols.types import CacheShares, ErrorForm, Protocol, Question, Ready

ANTHROPIC = Protocol(
    key="anthropic",
    label="Anthropic Messages",
    about="Any server that speaks Anthropic's Messages API, hosted or your own.",
    ready=Ready(
        Question("/v1/models", headers=(("anthropic-version", "2023-06-01"),)),
        "It lists its models to who may call it. The API documents no path for health.",
    ),
    plain=(*openai.USAGE, *messages.USAGE),
    streamed=(*openai.STREAMED_USAGE, *messages.STREAMED_USAGE),
    # It answers OpenAI's chat too.
    shapes=openai.SHAPES,
    # What it charges for the prompt cache, of five minutes, by its price list.
    cache=CacheShares(written=1.25, read=0.1),
    model_in_path=r"/models/([^/:?]+)",
    errors=ErrorForm.ANTHROPIC,
)
