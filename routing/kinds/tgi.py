"""Text Generation Inference of Hugging Face."""

from routing.kinds.openai import SHAPES, USAGE
from routing.kinds.types import Count, ErrorForm, Kind, LoadMetrics, Question, Ready, Series, Shape, Told

GENERATED = Told(Count.COMPLETION_TOKENS, "generated_tokens")

# Null in each event but the last.
GENERATE = Shape(
    r"/generate(?:_stream)?", holds=("generated_text",), ends=("generated_text",), stops=("finish_reason",)
)

TGI = Kind(
    key="tgi",
    label="Text Generation Inference",
    about="Hugging Face's server for language models, by its own API or OpenAI's.",
    ready=Ready(Question("/health"), "The model can generate; 503 while it cannot."),
    plain=(*USAGE, GENERATED),
    # The last event of `/generate_stream` has the details; in those before it they are null.
    streamed=(*USAGE, GENERATED, Told(Count.PROMPT_TOKENS, "input_length")),
    shapes=(*SHAPES, GENERATE),
    headers=(
        ("x-prompt-tokens", Count.PROMPT_TOKENS),
        ("x-generated-tokens", Count.COMPLETION_TOKENS),
        ("x-queue-time", Count.QUEUE_MS),
    ),
    load=LoadMetrics(path="/metrics", waiting=(Series("tgi_queue_size"),), running=(Series("tgi_batch_current_size"),)),
    errors=ErrorForm.TGI,
)
