"""TorchServe."""

from routing.protocols.types import ErrorForm, Protocol, Question, Ready

TORCHSERVE = Protocol(
    key="torchserve",
    label="TorchServe",
    about="PyTorch's server for models of any form. What its answers hold is up to the model's handler.",
    ready=Ready(
        # The status is 200 also while workers are missing: then the text is "Partial Healthy" or "Unhealthy".
        Question("/ping", text='"Healthy"'),
        "Every model has its workers, one that is still loading among them; the model itself tells more.",
        # The management API says READY of each worker that has loaded. It asks for a token unless told not to.
        of_model=Question("/models/{model}", text='"status": "READY"', port=8081),
    ),
    model_in_path=r"/(?:predictions|explanations)/([^/?]+)",
    errors=ErrorForm.TORCHSERVE,
)
