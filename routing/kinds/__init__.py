"""Kinds of model servers: what they call ready, where they tell tokens and load, how their paths name a model."""

from collections.abc import Mapping
from types import MappingProxyType

from routing.kinds.anthropic import ANTHROPIC
from routing.kinds.bentoml import BENTOML
from routing.kinds.http import HTTP
from routing.kinds.kserve_v2 import KSERVE_V2
from routing.kinds.llama_cpp import LLAMA_CPP
from routing.kinds.openai import OPENAI
from routing.kinds.ray_serve import RAY_SERVE
from routing.kinds.tensorrt_llm import TENSORRT_LLM
from routing.kinds.tgi import TGI
from routing.kinds.torchserve import TORCHSERVE
from routing.kinds.triton import TRITON
from routing.kinds.types import CacheShares, Count, ErrorForm, Kind, LoadMetrics, Question, Ready, Series, Shape, Told
from routing.kinds.vllm import VLLM

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

KINDS: Mapping[str, Kind] = MappingProxyType({kind.key: kind for kind in _IN_ORDER})
"""All kinds by their key, in the order in which a form offers them."""

__all__ = [
    "KINDS",
    "CacheShares",
    "Count",
    "ErrorForm",
    "Kind",
    "LoadMetrics",
    "Question",
    "Ready",
    "Series",
    "Shape",
    "Told",
]
