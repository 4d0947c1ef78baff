"""What a flag is for one unit. A flag is a running experiment, its value the name of a variant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from routing.allocation.assign import assign
from routing.envoy import FORCED_VARIANT_HEADER
from routing.table import Arm, Endpoint, RunningExperiment, Table, UnitSource

IN = "SPLIT"
FORCED = "TARGETING_MATCH"
OUT = "DEFAULT"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A flag's value for a unit, and why; `variant` is None for who is not measured."""

    key: str
    value: str
    variant: str | None
    reason: str
    metadata: Mapping[str, str | int]

    @property
    def endpoint(self) -> str:
        """The key of the endpoint that the flag belongs to."""
        return str(self.metadata["endpoint"])

    def content(self) -> dict[str, Any]:
        """As the protocol has it; an empty `variant` is none, since some SDKs fail on one that is missing."""
        return {
            "key": self.key,
            "value": self.value,
            "reason": self.reason,
            "variant": self.variant or "",
            "metadata": dict(self.metadata),
        }


def evaluate(table: Table, key: str, unit: str, headers: Mapping[str, str]) -> Evaluation | None:
    """The flag of this key; None when no experiment of this key runs.

    `headers`, by their names in lower case, are what the experiment's audience is decided by. Whom the experiment does
    not take in gets the control's name.
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
    known: dict[str, str | int] = {"endpoint": endpoint.key, "stage": experiment.stage, "tableVersion": version}
    control = experiment.arms[0].variant
    if FORCED_VARIANT_HEADER in headers:
        name, arm = _forced(endpoint, headers[FORCED_VARIANT_HEADER])
        metadata = known | {"backend": arm.backend if arm else endpoint.backend}
        if arm is not None and name == experiment.key:
            return Evaluation(experiment.key, arm.variant, None, FORCED, metadata)
        return Evaluation(experiment.key, control, None, OUT, metadata)
    found = assign(endpoint, unit, _as_the_edge_sees(endpoint, unit, headers))
    metadata = known | {"backend": found.backend}
    if found.experiment == experiment.key and found.variant is not None:
        return Evaluation(experiment.key, found.variant, found.variant, IN, metadata)
    return Evaluation(experiment.key, control, None, OUT, metadata)


def _forced(endpoint: Endpoint, wanted: str) -> tuple[str, Arm | None]:
    """The experiment and the arm that quality assurance asks for; no arm where there is none of that name."""
    for experiment in endpoint.experiments:
        for arm in experiment.arms:
            if wanted == f"{experiment.key}/{arm.variant}":
                return experiment.key, arm
    return "", None


def _as_the_edge_sees(endpoint: Endpoint, unit: str, headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers, and among them the unit where the endpoint takes it from one."""
    if endpoint.unit.source is not UnitSource.HEADER:
        return headers
    return {**headers, endpoint.unit.name.lower(): unit}
