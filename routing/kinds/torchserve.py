"""TorchServe."""

from routing.kinds.types import Kind, Ready

TORCHSERVE = Kind(
    key="torchserve",
    label="TorchServe",
    about="PyTorch's server for models of any form. What its answers hold is up to the model's handler.",
    # The status is 200 also while workers are missing: then the text is "Partial Healthy" or "Unhealthy".
    ready=Ready("/ping", "Every model has as many workers as it needs.", text='"Healthy"'),
    model_in_path=r"/(?:predictions|explanations)/([^/?]+)",
)
