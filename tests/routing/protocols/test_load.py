"""How busy a server is, from what its documentation shows of its metrics."""

import pytest

from routing.protocols import PROTOCOLS
from routing.protocols.load import Load, read_load

VLLM = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="llama"} 8.0
vllm:num_requests_running{engine="1",model_name="llama"} 7.0
vllm:num_requests_waiting{engine="0",model_name="llama"} 3.0
vllm:num_requests_waiting{engine="1",model_name="llama"} 0.0
vllm:kv_cache_usage_perc{engine="0",model_name="llama"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="llama"} 0.75
"""
OLD_VLLM = 'vllm:num_requests_waiting{model_name="llama"} 2\nvllm:gpu_cache_usage_perc{model_name="llama"} 0.5\n'
TGI = "# TYPE tgi_queue_size gauge\ntgi_queue_size 4\n# TYPE tgi_batch_current_size gauge\ntgi_batch_current_size 16\n"
TRITON = """\
nv_inference_pending_request_count{model="iris",version="1"} 5
nv_inference_pending_request_count{model="wine",version="1"} 1
"""
TRITON_LLM = """\
nv_inference_pending_request_count{model="llm",version="1"} 9
nv_trt_llm_request_metrics{model="llm",request_type="context",version="1"} 1
nv_trt_llm_request_metrics{model="llm",request_type="scheduled",version="1"} 4
nv_trt_llm_request_metrics{model="llm",request_type="waiting",version="1"} 2
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction",model="llm",version="1"} 0.6
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="max",model="llm",version="1"} 6239
"""
TENSORRT_LLM = """\
trtllm_num_requests_running{model_name="llama",engine_type="trtllm"} 6.0
trtllm_num_requests_waiting{model_name="llama",engine_type="trtllm"} 1.0
trtllm_kv_cache_utilization{model_name="llama",engine_type="trtllm"} 0.62
"""
LLAMA = "llamacpp:requests_processing 2\nllamacpp:requests_deferred 1\nllamacpp:n_busy_slots_per_decode 1.5\n"
RAY = """\
ray_serve_deployment_queued_queries{application="app",deployment="D"} 2.0
ray_serve_replica_processing_queries{application="app",deployment="D",replica="a"} 3.0
ray_serve_replica_processing_queries{application="app",deployment="D",replica="b"} 4.0
"""
BENTOML = 'bentoml_service_request_in_progress{endpoint="/summarize",service_name="Summary"} 3.0\n'


@pytest.mark.parametrize(
    ("key", "text", "load"),
    [
        ("vllm", VLLM, Load(waiting=3, running=15, cache_used=0.75)),
        ("vllm", OLD_VLLM, Load(waiting=2, cache_used=0.5)),
        ("tgi", TGI, Load(waiting=4, running=16)),
        ("triton", TRITON, Load(waiting=6)),
        ("triton", TRITON_LLM, Load(waiting=2, running=4, cache_used=0.6)),
        ("tensorrt-llm", TENSORRT_LLM, Load(waiting=1, running=6, cache_used=0.62)),
        ("llama-cpp", LLAMA, Load(waiting=1, running=2)),
        ("ray-serve", RAY, Load(waiting=2, running=7)),
        ("bentoml", BENTOML, Load(running=3)),
    ],
)
def test_the_load_of_each_kind_is_read(key: str, text: str, load: Load) -> None:
    metrics = PROTOCOLS[key].load

    assert metrics
    assert read_load(metrics, text) == load


@pytest.mark.parametrize(
    ("line", "waiting"),
    [
        ("tgi_queue_size 4 1700000000000", 4),
        ("tgi_queue_size   4e1", 40),
        (r'tgi_queue_size{path="C:\\DIR\\",text="a \"}\" b\n",} 4', 4),
        ("tgi_queue_size NaN", None),
        ("tgi_queue_size +Inf", None),
        ("tgi_queue_size four", None),
        ("tgi_queue_size", None),
        ("tgi_queue_size_total 4", None),
        ("# tgi_queue_size 4", None),
        ("<html>Not found</html>", None),
    ],
)
def test_what_is_no_number_is_unknown(line: str, waiting: float | None) -> None:
    metrics = PROTOCOLS["tgi"].load

    assert metrics
    assert read_load(metrics, f"# TYPE tgi_queue_size gauge\n{line}\n") == Load(waiting=waiting)
