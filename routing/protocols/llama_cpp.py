"""The server of llama.cpp."""

from routing.protocols.openai import LISTED, RANKED, SHAPES, STREAMED_USAGE, USAGE, VECTORS
from routing.protocols.types import Count, LoadMetrics, Protocol, Question, Ready, Series, Shape, Streams, Told

# Answers of its native `/completion`. Each event of a stream tells how far it is, so that the last one counts.
NATIVE = (
    Told(Count.PROMPT_TOKENS, "tokens_evaluated"),
    Told(Count.COMPLETION_TOKENS, "tokens_predicted"),
)

# Several prompts are answered by a list. The last event says that the model stopped, and why.
NATIVE_SHAPE = Shape(
    r"(?<!/v1)(?<!/chat)/(?:completions?|infill)",
    holds=("content", "tokens[]", "*.content", "*.tokens[]"),
    parts=("content", "tokens[]"),
    last=("stop",),
    aloud=("content", "*.content"),
    form="content|stop",
    stops=("stop_type",),
    streams=Streams.ASKED,
)
EMBEDDINGS = Shape(
    r"(?<!/v1)/embeddings?",
    holds=("*.embedding[+]", "embedding[+]", *VECTORS),
    every=LISTED,
    completes=False,
)
RERANKING = Shape(r"/reranking", holds=RANKED, completes=False)

LLAMA_CPP = Protocol(
    key="llama-cpp",
    label="llama.cpp",
    about="The server of llama.cpp, by its own API or OpenAI's.",
    ready=Ready(Question("/health"), "The model is loaded; 503 while it is loading."),
    plain=(*USAGE, *NATIVE),
    streamed=(*STREAMED_USAGE, *NATIVE),
    shapes=(NATIVE_SHAPE, EMBEDDINGS, RERANKING, *SHAPES),
    # Only there when the server was started with `--metrics`.
    load=LoadMetrics(
        path="/metrics",
        waiting=(Series("llamacpp:requests_deferred"),),
        running=(Series("llamacpp:requests_processing"),),
        # Releases since 2025 do not tell it.
        cache_used=(Series("llamacpp:kv_cache_usage_ratio"),),
    ),
)
