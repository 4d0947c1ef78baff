"""Ray Serve."""

from routing.protocols.openai import SHAPES, STREAMED_USAGE, USAGE
from routing.protocols.types import LoadMetrics, Protocol, Question, Ready, Series

RAY_SERVE = Protocol(
    key="ray-serve",
    label="Ray Serve",
    about="Applications on Ray Serve. Those of Ray Serve LLM speak OpenAI's API, and tell tokens as it does.",
    ready=Ready(
        Question("/-/healthz"), "Its routes are known and a replica is up; 503 until then and while it drains."
    ),
    plain=USAGE,
    streamed=STREAMED_USAGE,
    shapes=SHAPES,
    load=LoadMetrics(
        path="/metrics",
        port=8080,
        waiting=(Series("ray_serve_deployment_queued_queries"),),
        running=(Series("ray_serve_replica_processing_queries"),),
    ),
)
