"""Any other server over HTTP."""

from routing.protocols.types import Protocol, Question, Ready

HTTP = Protocol(
    key="http",
    label="Plain HTTP",
    about="Any server over HTTP. Nothing is taken from its answers.",
    ready=Ready(Question("/health"), "As the server defines it."),
    model_in_path=r"/models/([^/:?]+)",
)
