"""Protocols of model servers: what they call ready, where they tell tokens and load, how their paths name a model."""

from collections.abc import Mapping
from types import MappingProxyType

from routing.protocols.anthropic import ANTHROPIC
from routing.protocols.bentoml import BENTOML
from routing.protocols.kserve_v2 import KSERVE_V2
from routing.protocols.llama_cpp import LLAMA_CPP
from routing.protocols.openai import OPENAI
from routing.protocols.plain_http import HTTP
from routing.protocols.ray_serve import RAY_SERVE
from routing.protocols.tensorrt_llm import TENSORRT_LLM
from routing.protocols.tgi import TGI
from routing.protocols.torchserve import TORCHSERVE
from routing.protocols.triton import TRITON
from routing.protocols.types import (
    CacheShares,
    Count,
    ErrorForm,
    LoadMetrics,
    Protocol,
    Question,
    Ready,
    Series,
    Shape,
    Told,
)
from routing.protocols.vllm import VLLM

_IN_ORDER = (
    OPENAI,
    ANTHROPIC,
    VLLM,
    TGI,
    TRITON,
    TENSORRT_LLM,
    KSERVE_V2,
    TORCHSERVE,
    BENTOML,
    RAY_SERVE,
    LLAMA_CPP,
    HTTP,
)

PROTOCOLS: Mapping[str, Protocol] = MappingProxyType({protocol.key: protocol for protocol in _IN_ORDER})
"""All protocols by their key, in the order in which a form offers them."""

__all__ = [
    "PROTOCOLS",
    "CacheShares",
    "Count",
    "ErrorForm",
    "LoadMetrics",
    "Protocol",
    "Question",
    "Ready",
    "Series",
    "Shape",
    "Told",
]
