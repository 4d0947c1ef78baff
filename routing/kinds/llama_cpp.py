"""The server of llama.cpp."""

from routing.kinds.openai import SHAPES, USAGE
from routing.kinds.types import Count, Kind, LoadMetrics, Question, Ready, Series, Shape, Told

# Answers of its native `/completion`. Each event of a stream tells how far it is, so that the last one counts.
NATIVE = (
    Told(Count.PROMPT_TOKENS, "tokens_evaluated"),
    Told(Count.COMPLETION_TOKENS, "tokens_predicted"),
)

# Its last event says that it stopped, and holds the content as a plain answer does.
NATIVE_SHAPE = Shape(r"/completion", holds=("content",), ends=("stop",), stops=("stop_type",))

LLAMA_CPP = Kind(
    key="llama-cpp",
    label="llama.cpp",
    about="The server of llama.cpp, by its own API or OpenAI's.",
    ready=Ready(Question("/health"), "The model is loaded; 503 while it is loading."),
    plain=(*USAGE, *NATIVE),
    streamed=(*USAGE, *NATIVE),
    shapes=(*SHAPES, NATIVE_SHAPE),
    # Only there when the server was started with `--metrics`.
    load=LoadMetrics(
        path="/metrics",
        waiting=(Series("llamacpp:requests_deferred"),),
        running=(Series("llamacpp:requests_processing"),),
        # Releases since 2025 do not tell it.
        cache_used=(Series("llamacpp:kv_cache_usage_ratio"),),
    ),
)
