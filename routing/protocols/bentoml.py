"""BentoML."""

from routing.protocols.types import ErrorForm, LoadMetrics, Protocol, Question, Ready, Series

BENTOML = Protocol(
    key="bentoml",
    label="BentoML",
    about="A service of BentoML. What its answers hold is up to the service; one of OpenAI's API is of that kind.",
    ready=Ready(Question("/readyz"), "The service and all it depends on are up; 503 until then."),
    load=LoadMetrics(path="/metrics", running=(Series("bentoml_service_request_in_progress"),)),
    errors=ErrorForm.TEXT,
)
