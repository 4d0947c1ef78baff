"""Servers of the Open Inference Protocol, which KServe calls V2."""

from routing.protocols.types import ErrorForm, Protocol, Question, Ready, Shape

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
    completes=False,
)

KSERVE_V2 = Protocol(
    key="kserve-v2",
    label="Open Inference Protocol (KServe V2)",
    about="Any server of the Open Inference Protocol, like MLServer or OpenVINO's. Its answers tell no tokens.",
    ready=READY,
    shapes=(INFER,),
    model_in_path=MODEL_IN_PATH,
    errors=ErrorForm.TEXT,
)
