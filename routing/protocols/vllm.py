"""vLLM's own server."""

from routing.protocols.openai import SHAPES, STREAMED_USAGE, USAGE
from routing.protocols.types import LoadMetrics, Protocol, Question, Ready, Series

VLLM = Protocol(
    key="vllm",
    label="vLLM",
    about="vLLM's server, which speaks OpenAI's API.",
    ready=Ready(Question("/health"), "The engine lives; the port opens only once the model is loaded."),
    plain=USAGE,
    streamed=STREAMED_USAGE,
    shapes=SHAPES,
    load=LoadMetrics(
        path="/metrics",
        waiting=(Series("vllm:num_requests_waiting"),),
        running=(Series("vllm:num_requests_running"),),
        # The second is what releases before 0.10 called it.
        cache_used=(Series("vllm:kv_cache_usage_perc"), Series("vllm:gpu_cache_usage_perc")),
    ),
)
