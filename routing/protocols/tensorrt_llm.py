"""The server of TensorRT-LLM itself, `trtllm-serve`; behind Triton it is of the kind `triton`."""

from routing.protocols.openai import SHAPES, STREAMED_USAGE, USAGE
from routing.protocols.types import LoadMetrics, Protocol, Question, Ready, Series

TENSORRT_LLM = Protocol(
    key="tensorrt-llm",
    label="TensorRT-LLM",
    about="NVIDIA's `trtllm-serve`, which speaks OpenAI's API.",
    ready=Ready(Question("/health"), "The engine lives; the port opens only once the model is loaded."),
    plain=USAGE,
    streamed=STREAMED_USAGE,
    shapes=SHAPES,
    # `/metrics` of this server is no Prometheus text but JSON.
    load=LoadMetrics(
        path="/prometheus/metrics",
        waiting=(Series("trtllm_num_requests_waiting"),),
        running=(Series("trtllm_num_requests_running"),),
        cache_used=(Series("trtllm_kv_cache_utilization"),),
    ),
)
