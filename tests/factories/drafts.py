"""Backends, an endpoint and draft experiments on it, made through the same actions as everybody's."""

from typing import Any

from controlplane.audit.actors import SLUICE
from experiments.actions.create import create
from experiments.models import Experiment
from experiments.plan.spec import read_spec
from routing.models import Backend, Endpoint, Layer
from routing.resources.register import register

OTHERS_OFF = ["client-error-rate", "redirect-rate", "abandon-rate", "truncated-rate", "latency"]
"""Default guardrails that a draft does without, so that a few hundred users decide it."""


def backend(key: str) -> Backend:
    """A registered backend; made if it is not there."""
    found = Backend.objects.filter(key=key).first()
    if found is None:
        found = Backend(key=key, name=key, addresses=["http://127.0.0.1:9"], health_path="/health")
        register(found, actor=SLUICE)
    return found


def endpoint(key: str = "chat", standby: str = "", layer: Layer | None = None) -> Endpoint:
    """A registered endpoint with the backend `stable`; made if it is not there."""
    found = Endpoint.objects.filter(key=key).first()
    if found is None:
        found = Endpoint(key=key, name=key, path_prefix=f"/{key}", backend=backend("stable"), timeout_seconds=10)
        if layer is not None:
            found.layer = layer
        found.standby = backend(standby) if standby else None
        register(found, actor=SLUICE)
    return found


def draft_data(key: str = "canary", **changes: Any) -> dict[str, Any]:
    """The form of an experiment with one guardrail and two stages."""
    plan = {
        "stages": [{"coverage": 10, "soak_seconds": 60}, {"coverage": 100, "soak_seconds": 300}],
        "metrics": [{"metric": "error-rate", "role": "guardrail", "margin": 0.03, "margin_kind": "absolute"}],
        "maximum_seconds": 3600,
        "switched_off": OTHERS_OFF,
    }
    data = {
        "key": key,
        "name": "A canary",
        "endpoint": "chat",
        "control": {"key": "control", "backend": "stable"},
        "candidates": [{"key": "better", "backend": "candidate"}],
        "plan": plan,
    }
    return {**data, **changes}


def draft(key: str = "canary", **changes: Any) -> Experiment:
    """A draft experiment; `changes` replace parts of its form."""
    endpoint()
    backend("candidate")
    return create(read_spec(draft_data(key, **changes)), actor=SLUICE)
