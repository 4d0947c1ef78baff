"""Servers of the Open Inference Protocol, which KServe calls V2."""

from dataclasses import replace

from routing.protocols import openai
from routing.protocols.types import ErrorForm, Protocol, Question, Ready, Shape, Streams

READY = Ready(
    Question("/v2/health/ready"),
    meaning="The models that it is to have are loaded; it stays so when one is unloaded.",
    of_model=Question("/v2/models/{model}/ready"),
)

# `/v2/models/<name>/infer`, and with a version `/v2/models/<name>/versions/<version>/infer`.
MODEL_IN_PATH = r"/v2/models/([^/?]+)"

# What a tensor holds is in its data, in bytes behind the JSON, or in memory that the client shares.
INFER = Shape(
    r"/infer",
    holds=tuple(
        f"outputs.*.{name}" for name in ("data[*]", "parameters.binary_data_size[+]", "parameters.shared_memory_region")
    ),
    tensors=("outputs.*",),
    completes=False,
)

# The protocol before this one, of which TensorFlow's server and KServe's answer either.
PREDICT = Shape(r":predict", holds=("predictions[*]",), completes=False)
EXPLAIN = Shape(r":explain", holds=("explanations[*]",), completes=False)

# An answer of the generate extension has the outputs of the model by their names: those of language models are
# `text_output` and what is told beside it. A stream has no mark of its end.
_OUTPUTS = ("text_output[*]", "?[*]")
GENERATE = Shape(
    r"/generate",
    holds=_OUTPUTS,
    parts=_OUTPUTS,
    known=("model_name", "model_version", "id", "parameters", "sequence_id", "sequence_start", "sequence_end"),
    own=("text_output",),
    streams=Streams.FREE,
)
GENERATE_STREAM = replace(GENERATE, paths=r"/generate_stream", streams=Streams.ALWAYS)

# KServe and Triton answer OpenAI's API beside it.
SHAPES = (INFER, PREDICT, EXPLAIN, GENERATE, GENERATE_STREAM, *openai.SHAPES)

KSERVE_V2 = Protocol(
    key="kserve-v2",
    label="Open Inference Protocol (KServe V2)",
    about="Any server of the Open Inference Protocol, like MLServer or OpenVINO's. Its own answers tell no tokens.",
    ready=READY,
    plain=openai.USAGE,
    streamed=openai.STREAMED_USAGE,
    shapes=SHAPES,
    model_in_path=MODEL_IN_PATH,
    errors=ErrorForm.TEXT,
)
