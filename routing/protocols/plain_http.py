"""Any other server over HTTP."""

from routing.protocols.types import Kind, Question, Ready

HTTP = Kind(
    key="http",
    label="Plain HTTP",
    about="Any server over HTTP. Nothing is taken from its answers.",
    ready=Ready(Question("/health"), "Whatever the server means by it."),
    model_in_path=r"/models/([^/:?]+)",
)
