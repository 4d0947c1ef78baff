"""What a flag is for one unit. A flag is a running experiment, its value the name of a variant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from routing.assign import assign
from routing.table import Endpoint, RunningExperiment, Table

IN = "SPLIT"
OUT = "DEFAULT"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A flag's value for a unit, and why; `variant` is None for who is not in the experiment."""

    key: str
    value: str
    variant: str | None
    reason: str
    metadata: Mapping[str, str | int]

    def content(self) -> dict[str, Any]:
        """As the protocol has it."""
        named = {} if self.variant is None else {"variant": self.variant}
        return {"key": self.key, "value": self.value, "reason": self.reason, **named, "metadata": dict(self.metadata)}


def evaluate(table: Table, key: str, unit: str, headers: Mapping[str, str]) -> Evaluation | None:
    """The flag of this key; None when no experiment of this key runs.

    `headers`, by their names in lower case, are what the experiment's audience is decided by. Whom the experiment does
    not take in gets the control's name, as it gets its backend.
    """
    for endpoint in table.endpoints:
        for experiment in endpoint.experiments:
            if experiment.key == key:
                return _evaluate(table.version, endpoint, experiment, unit, headers)
    return None


def evaluate_all(table: Table, unit: str, headers: Mapping[str, str]) -> list[Evaluation]:
    """All flags, in the table's order."""
    pairs = [(endpoint, experiment) for endpoint in table.endpoints for experiment in endpoint.experiments]
    return [_evaluate(table.version, endpoint, experiment, unit, headers) for endpoint, experiment in pairs]


def _evaluate(
    version: int, endpoint: Endpoint, experiment: RunningExperiment, unit: str, headers: Mapping[str, str]
) -> Evaluation:
    found = assign(endpoint, unit, headers)
    known: dict[str, str | int] = {
        "endpoint": endpoint.key,
        "stage": experiment.stage,
        "tableVersion": version,
        "backend": found.backend,
    }
    if found.experiment == experiment.key and found.variant is not None:
        return Evaluation(experiment.key, found.variant, found.variant, IN, known)
    return Evaluation(experiment.key, experiment.arms[0].variant, None, OUT, known)
