"""What an exploration holds, and the JSON that is stored of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from controlplane.problems.problem import Problem
from experiments.stats.judging.breakdown import SegmentEffect


@dataclass(frozen=True, slots=True)
class SegmentSplit:
    """Users of each variant whose first request had a value, and the log of the evidence against the set shares.

    `mismatch` says that they did not arrive in these, after the correction for all values of all dimensions.
    """

    dimension: str
    value: str
    units: Mapping[str, int]
    log_e_value: float
    mismatch: bool = False


@dataclass(frozen=True, slots=True)
class ExplorationContent:
    """Effects and users by dimension and value, and what is wrong with the split of users, the gravest first."""

    effects: tuple[SegmentEffect, ...] = ()
    splits: tuple[SegmentSplit, ...] = ()
    problems: tuple[Problem, ...] = field(default=())


_CONTENT = TypeAdapter(ExplorationContent)


def write_content(content: ExplorationContent) -> dict[str, Any]:
    """As JSON."""
    written: dict[str, Any] = _CONTENT.dump_python(content, mode="json")
    return written


def read_content(stored: Mapping[str, Any]) -> ExplorationContent:
    """What was written. Raises `ValidationError` of pydantic for what this release cannot read."""
    return _CONTENT.validate_python(stored)
