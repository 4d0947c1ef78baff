"""An experiment, as lists and verbs tell of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Stage:
    """Which stage it is on, or ended on; coverage in per cent."""

    number: int
    of: int
    coverage: float


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment: its state, and what is known in a sentence. `stage` is None before the start."""

    key: str
    name: str
    endpoint: str
    state: str
    stage: Stage | None
    promoted_variant: str | None
    sentence: str


def read_experiment(content: Mapping[str, Any]) -> Experiment:
    """An experiment as it was sent. Raises `KeyError` and `TypeError` for what is none."""
    stage = content["stage"]
    return Experiment(
        key=content["key"],
        name=content["name"],
        endpoint=content["endpoint"],
        state=content["state"],
        stage=Stage(stage["number"], stage["of"], stage["coverage"]) if stage else None,
        promoted_variant=content["promoted_variant"],
        # Of one that cannot be read in full, what is wrong with it is all that there is to say.
        sentence=content["verdict"] or content["broken"],
    )
