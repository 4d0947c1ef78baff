"""Text Generation Inference of Hugging Face."""

from dataclasses import replace

from routing.protocols.openai import SHAPES, STREAMED_USAGE, USAGE
from routing.protocols.types import (
    Count,
    ErrorForm,
    LoadMetrics,
    Protocol,
    Question,
    Ready,
    Series,
    Shape,
    Streams,
    Told,
)

_TEXT = "generated_text"
GENERATED = Told(Count.COMPLETION_TOKENS, "details.generated_tokens")
_STOPS = ("details.finish_reason", "*.details.finish_reason")

GENERATE = Shape(
    r"/generate",
    holds=(_TEXT,),
    parts=(_TEXT,),
    last=(_TEXT,),
    form=f"token|{_TEXT}",
    aloud=(_TEXT, f"*.{_TEXT}"),
    stops=_STOPS,
    streams=Streams.FREE,
)

# The text is null in each event but the last.
GENERATE_STREAM = replace(GENERATE, paths=r"/generate_stream", streams=Streams.ALWAYS)

# The path that asks for either, and answers a list where it is no stream.
ROOT = replace(GENERATE, paths=r"^|/invocations", holds=(_TEXT, f"*.{_TEXT}"), streams=Streams.ASKED)

TGI = Protocol(
    key="tgi",
    label="Text Generation Inference",
    about="Hugging Face's server for language models, by its own API or OpenAI's.",
    ready=Ready(Question("/health"), "The model can generate; 503 while it cannot."),
    plain=(*USAGE, GENERATED, Told(Count.COMPLETION_TOKENS, "*.details.generated_tokens")),
    # The last event of `/generate_stream` has the details; in those before it they are null.
    streamed=(*STREAMED_USAGE, GENERATED, Told(Count.PROMPT_TOKENS, "details.input_length")),
    shapes=(*SHAPES, GENERATE, GENERATE_STREAM, ROOT),
    headers=(
        ("x-prompt-tokens", Count.PROMPT_TOKENS),
        ("x-generated-tokens", Count.COMPLETION_TOKENS),
        ("x-queue-time", Count.QUEUE_MS),
    ),
    load=LoadMetrics(path="/metrics", waiting=(Series("tgi_queue_size"),), running=(Series("tgi_batch_current_size"),)),
    errors=ErrorForm.TGI,
)
