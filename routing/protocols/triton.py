"""NVIDIA Triton Inference Server."""

from dataclasses import replace

from routing.protocols.kserve_v2 import MODEL_IN_PATH, READY, SHAPES
from routing.protocols.openai import STREAMED_USAGE, USAGE
from routing.protocols.types import Count, ErrorForm, LoadMetrics, Protocol, Series, Told

REQUESTS = "nv_trt_llm_request_metrics"

TRITON = Protocol(
    key="triton",
    label="Triton Inference Server",
    about="NVIDIA's server for models of many frameworks, by the Open Inference Protocol and its generate extension.",
    ready=replace(READY, meaning="All models are loaded, unless `--strict-readiness=false`."),
    # What the vLLM and TensorRT-LLM backends answer when `return_num_input_tokens` and `return_num_output_tokens`
    # ask for it. Each event of a stream tells its own output tokens alone, so that no event knows their sum.
    plain=(
        *USAGE,
        Told(Count.PROMPT_TOKENS, "num_input_tokens"),
        Told(Count.COMPLETION_TOKENS, "num_output_tokens"),
    ),
    streamed=(
        *STREAMED_USAGE,
        Told(Count.PROMPT_TOKENS, "num_input_tokens"),
    ),
    shapes=SHAPES,
    load=LoadMetrics(
        path="/metrics",
        port=8002,
        waiting=(Series(REQUESTS, (("request_type", "waiting"),)), Series("nv_inference_pending_request_count")),
        running=(Series(REQUESTS, (("request_type", "scheduled"),)),),
        cache_used=(Series("nv_trt_llm_kv_cache_block_metrics", (("kv_cache_block_type", "fraction"),)),),
    ),
    model_in_path=MODEL_IN_PATH,
    errors=ErrorForm.TEXT,
)
