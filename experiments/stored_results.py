"""What an analysis found and what it was found from, as the JSON that is stored, hashed and served; and back.

Rows outlive releases. What a later release adds to them is passed over, what an earlier one did not know yet has its
default, and what cannot be read at all is a problem, so that a page can do without it and a decision does not.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from controlplane.problems.errors import Unavailable
from controlplane.problems.problem import Problem
from experiments.evidence import CollectedEvidence
from experiments.stats.core.types import Adjustment, Evidence, Results, UnitSums, Verdict

FORMAT = 1
"""Raised when rows are written in a way that this module could not read before. Rows without one are of the first."""

_RESULTS = TypeAdapter(Results)
_SUMS = TypeAdapter(UnitSums)
_INTERVALS = ("interval", "relative_interval", "anytime_interval")

Stored = Mapping[str, Any]
ByName = Mapping[tuple[str, str], Adjustment]
"""By metric and variant."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much an analysis saw: units and requests of each variant, and units that were in two."""

    units: Mapping[str, int] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=dict)
    units_in_two_arms: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What later looks need to know of one metric of one candidate at a look before them.

    A row that does not tell it may have spent alpha that nobody knows of.
    """

    metric: str
    variant: str
    verdict: Verdict
    information: float | None
    information_fraction: float | None


_COUNTS = TypeAdapter(Counts)
_SEEN = TypeAdapter(tuple[Seen, ...])


def write_results(results: Results) -> dict[str, Any]:
    """As JSON, which has no infinity: an open end of an interval is null."""
    content = json.loads(_RESULTS.dump_json(results))
    return {"format": FORMAT, **content, "findings": [_written(finding) for finding in content["findings"]]}


def read_results(stored: Stored) -> Results:
    """The results as the statistics made them.

    Raises:
        Unavailable: `results-unreadable` for a row that this release cannot read.

    """
    try:
        if stored.get("format", FORMAT) > FORMAT:
            raise _unreadable(f"they have format {stored['format']}")
        metrics = [{**metric, **{name: _opened(metric[name]) for name in _INTERVALS}} for metric in stored["metrics"]]
        findings = [_finding(finding) for finding in stored.get("findings", ())]
        # JSON in a database may hold numbers beyond all floats, and halves of letters.
        json.dumps(stored, allow_nan=False, ensure_ascii=False).encode()
        return _RESULTS.validate_python({**stored, "metrics": metrics, "findings": findings})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(_why(error)) from error


def read_seen(stored: Stored, asked: Collection[tuple[str, str]] = ()) -> tuple[Seen, ...]:
    """What later looks need of a row, and nothing else of it, so that most that other releases changed is no matter.

    Raises:
        Unavailable: `results-unreadable` for a row that this release cannot read, or that does not tell of each metric
            and candidate that was `asked` for.

    """
    try:
        seen = _SEEN.validate_python(stored["metrics"])
    except (KeyError, TypeError, ValidationError) as error:
        raise _unreadable(_why(error)) from error
    untold = sorted(set(asked) - {(each.metric, each.variant) for each in seen})
    if untold:
        metric, variant = untold[0]
        raise _unreadable(f"they do not tell of {metric} of {variant}")
    return seen


def write_evidence(collected: CollectedEvidence, adjustments: ByName = MappingProxyType({})) -> dict[str, Any]:
    """Sufficient statistics, exactly as judged, and what the past took off; a sum beyond all floats is null."""
    counts = Counts(collected.evidence.units, collected.requests, collected.units_in_two_arms)
    sums = _sums(replace(collected.evidence, adjustments=adjustments))
    return {**_COUNTS.dump_python(counts, mode="json"), "sums": sums}


def read_counts(stored: Stored) -> Counts:
    """How much was seen; nothing where this release cannot read it."""
    try:
        return _COUNTS.validate_python(stored)
    except ValidationError:
        return Counts()


def _sums(evidence: Evidence) -> list[dict[str, Any]]:
    return [
        {"metric": metric, "variant": variant, **_numbers(sums), **_beside(evidence, metric, variant)}
        for (metric, variant), sums in evidence.sums.items()
    ]


def _numbers(sums: UnitSums) -> dict[str, Any]:
    numbers: dict[str, Any] = json.loads(_SUMS.dump_json(sums))
    return numbers


def _beside(evidence: Evidence, metric: str, variant: str) -> dict[str, Any]:
    """What is known of one metric of one variant beside its sums."""
    heavy, adjustment = evidence.heavy.get((metric, variant)), evidence.adjustments.get((metric, variant))
    told = {"heavy": heavy, "adjustment": None if adjustment is None else asdict(adjustment)}
    return {name: found for name, found in told.items() if found is not None}


def _written(finding: dict[str, Any]) -> dict[str, Any]:
    problem = finding.pop("problem")
    return {"code": problem["code"], "sentence": problem["detail"], "next_step": problem["next_step"], **finding}


def _finding(stored: Stored) -> dict[str, Any]:
    problem = Problem.of(stored["code"], stored["sentence"], stored["next_step"])
    return {**stored, "problem": asdict(problem)}


def _opened(interval: Mapping[str, float | None] | None) -> dict[str, float] | None:
    if interval is None:
        return None
    low, high = interval["low"], interval["high"]
    return {"low": float("-inf") if low is None else low, "high": float("inf") if high is None else high}


def _why(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return f"{type(error).__name__}: {error}"
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _unreadable(why: str) -> Unavailable:
    return Unavailable(
        "results-unreadable",
        f"This release cannot read the stored results of an analysis ({why}).",
        next_step="Bring all parts of Sluice to the release that wrote them.",
    )
