"""What the demo sets up: three backends, one endpoint, one metric and two experiments."""

from dataclasses import dataclass
from typing import Any

from examples.demo.sluice import Sluice


@dataclass(frozen=True, slots=True)
class Model:
    """A backend of the demo, with the profile that its server is started with."""

    key: str
    name: str
    seconds: float
    error_rate: float
    quality: float
    price: float


PRESENT = Model("adder-1", "Adder 1, the present model", seconds=0.060, error_rate=0.005, quality=0.70, price=2.0)
BETTER = Model("adder-2", "Adder 2, more often right", seconds=0.055, error_rate=0.005, quality=0.85, price=2.2)
CHEAPER = Model("adder-mini", "Adder Mini, cheaper", seconds=0.100, error_rate=0.20, quality=0.68, price=0.4)
MODELS = (PRESENT, BETTER, CHEAPER)

METRIC = {
    "key": "thumbs-up-rate",
    "name": "Thumbs-up rate",
    "description": "Share of judged answers that the user liked.",
    "type": "ratio",
    "numerator": "outcome(thumbs-up)",
    "denominator": "outcome_count(thumbs-up)",
    "direction": "increase",
    "display_unit": "%",
}
ENDPOINT = {
    "key": "chat",
    "name": "Chat",
    "path_prefix": "/v1",
    "unit_name": "x-user-id",
    "backend": PRESENT.key,
    "timeout_seconds": 10,
}
"""No answer takes ten seconds, so a stage waits for twenty until it knows which requests hang."""

STAGES = (
    {"coverage": 30, "soak_seconds": 20},
    {"coverage": 60, "soak_seconds": 15},
    {"coverage": 100, "soak_seconds": 30},
)
EVIDENCE = {"minimum_units": 250, "power": 0.99, "maximum_seconds": 86_400}
"""How much decides, whenever it comes: 200 users are enough to see the bad one's errors before any stage ends, and a
good one hardly ever misses its verdict. A slow machine, whose latencies tell less, takes longer to the same ends.
"""

METRICS = (
    {"metric": "thumbs-up-rate", "role": "goal", "minimum_effect": 0.1},
    {"metric": "error-rate", "role": "guardrail", "margin": 0.03, "margin_kind": "absolute", "minimum_effect": 1.0},
    {"metric": "latency", "role": "guardrail", "margin": 0.1, "minimum_effect": 0.2},
    # With the margin that they have where a plan does not list them, they need more users than come here.
    *(
        {"metric": metric, "role": "guardrail", "margin": 0.03, "margin_kind": "absolute", "minimum_effect": 1.0}
        for metric in ("client-error-rate", "redirect-rate", "abandon-rate", "truncated-rate")
    ),
    {"metric": "cost-per-request", "role": "observed"},
)


def set_up(sluice: Sluice, ports: dict[str, int]) -> tuple[str, str]:
    """Register everything and start both experiments; returns their keys, the better candidate's first."""
    register(sluice, ports)
    number = _next_number(sluice)
    better = _start(sluice, f"better-answers-{number}", "Adder 2 answers better", BETTER)
    cheaper = _start(sluice, f"cheaper-model-{number}", "Adder Mini is cheaper and good enough", CHEAPER)
    return better, cheaper


def register(sluice: Sluice, ports: dict[str, int]) -> None:
    """Register the models, the metric and the endpoint, or bring them in line."""
    for model in MODELS:
        sluice.ensure("backends", _backend(model, ports[model.key]))
    sluice.ensure("metrics", METRIC)
    sluice.ensure("endpoints", ENDPOINT)


def _backend(model: Model, port: int) -> dict[str, Any]:
    return {
        "key": model.key,
        "name": model.name,
        "protocol": "openai",
        "addresses": [f"http://127.0.0.1:{port}"],
        "health_path": "/health",
        "prompt_price": model.price,
        "completion_price": model.price * 4,
    }


def _next_number(sluice: Sluice) -> int:
    taken = sluice.experiment_keys()
    return next(number for number in range(1, len(taken) + 2) if f"better-answers-{number}" not in taken)


def experiment_form(key: str, name: str, candidate: Model, **plan: Any) -> dict[str, Any]:
    """An experiment on half of the users; `plan` replaces parts of the demo's plan."""
    usual = {"stages": STAGES, "metrics": METRICS, "tick_seconds": 2, **EVIDENCE}
    return {
        "key": key,
        "name": name,
        "hypothesis": f"{candidate.name} can replace {PRESENT.name}.",
        "endpoint": "chat",
        "traffic": 50,
        "control": {"key": "control", "backend": PRESENT.key},
        "candidates": [{"key": candidate.key, "backend": candidate.key}],
        "plan": {**usual, **plan},
    }


def _start(sluice: Sluice, key: str, name: str, candidate: Model) -> str:
    sluice.call("POST", "experiments", experiment_form(key, name, candidate))
    sluice.call("POST", f"experiments/{key}/start", {"reason": "the demo"})
    return key
