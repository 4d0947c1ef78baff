"""Servers of the Open Inference Protocol, which KServe calls V2."""

from routing.protocols.types import ErrorForm, Protocol, Question, Ready, Shape

READY = Ready(
    Question("/v2/health/ready"),
    meaning="The models that it is to have are loaded; it stays so when one is unloaded.",
    of_model=Question("/v2/models/{model}/ready"),
)

# `/v2/models/<name>/infer`, and with a version `/v2/models/<name>/versions/<version>/infer`.
MODEL_IN_PATH = r"/v2/models/([^/?]+)"

INFER = Shape(r"/infer", holds=("outputs.*[]",), completes=False)

KSERVE_V2 = Protocol(
    key="kserve-v2",
    label="Open Inference Protocol (KServe V2)",
    about="Any server of the Open Inference Protocol, like MLServer or OpenVINO's. Its answers tell no tokens.",
    ready=READY,
    shapes=(INFER,),
    model_in_path=MODEL_IN_PATH,
    errors=ErrorForm.TEXT,
)
