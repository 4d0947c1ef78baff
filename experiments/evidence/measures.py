"""Measures: what one request or one outcome adds to its unit's total.

- `requests`: 1 for each request
- `errors`: 1 for each request that the backend failed
- `duration_ms`, `ttft_ms`, `inter_token_ms`, `queue_ms`, `prompt_tokens`, `completion_tokens`, `cost`, `retries`: the
  column, where it is known
- `count(<column>)`: 1 for each request for which the column is known
- `above(<column>, <threshold>)`: 1 for each request for which the column is above the threshold
- `outcome(<name>)`: the value of each outcome of that name
- `outcome_count(<name>)`: 1 for each outcome of that name
"""

import re
from dataclasses import dataclass

import narwhals as nw

from controlplane.errors import InvalidInput
from routing.events.outcomes import OUTCOME_NAME

COLUMNS = (
    "duration_ms",
    "ttft_ms",
    "inter_token_ms",
    "queue_ms",
    "prompt_tokens",
    "completion_tokens",
    "cost",
    "retries",
)

# Envoy's flags for an upstream that refused, broke off, timed out or was not there. A client that
# went away (DC) is not among them: it says nothing about the backend.
UPSTREAM_FAILED = r"(^|,)(UF|UC|UT|UH|UO|URX|LR|NC|DPE)(,|$)"

_ABOVE = re.compile(r"above\(\s*(?P<column>[a-z_]+)\s*,\s*(?P<threshold>\d+(\.\d+)?)\s*\)")
_CALL = re.compile(r"(?P<function>[a-z_]+)\((?P<argument>[^()]*)\)")


@dataclass(frozen=True, slots=True)
class Measure:
    """A parsed measure: a function of a request's column or of an outcome's name."""

    function: str
    argument: str = ""
    threshold: float = 0.0

    @property
    def from_outcomes(self) -> bool:
        """Whether outcomes, not requests, are measured."""
        return self.function in ("outcome", "outcome_count")

    def value(self) -> nw.Expr:
        """What one row adds: of the requests, or of the outcomes when `from_outcomes`; null adds nothing."""
        match self.function:
            case "requests":
                return nw.lit(1)
            case "errors":
                return _failed()
            case "sum":
                return nw.col(self.argument)
            case "count":
                return _one_when(~nw.col(self.argument).is_null())
            case "above":
                return _one_when(nw.col(self.argument) > self.threshold)
            case "outcome":
                return nw.when(nw.col("name") == self.argument).then(nw.col("value"))
            case _:
                return _one_when(nw.col("name") == self.argument)


def parse(text: str) -> Measure:
    """Read a measure.

    Raises:
        InvalidInput: `measure-unknown`, the text is none of the grammar's.

    """
    text = text.strip()
    if text in ("requests", "errors"):
        return Measure(text)
    if text in COLUMNS:
        return Measure("sum", text)
    above = _ABOVE.fullmatch(text)
    if above and above["column"] in COLUMNS:
        return Measure("above", above["column"], float(above["threshold"]))
    call = _CALL.fullmatch(text)
    if call and _fits(call["function"], call["argument"].strip()):
        return Measure(call["function"], call["argument"].strip())
    raise InvalidInput(
        "measure-unknown",
        f"“{text}” is not a measure.",
        next_step=f"Use requests, errors, {', '.join(COLUMNS)}, count(<one of these columns>), "
        "above(<one of these columns>, <threshold>), outcome(<name>) or outcome_count(<name>).",
    )


def _fits(function: str, argument: str) -> bool:
    if function == "count":
        return argument in COLUMNS
    return function in ("outcome", "outcome_count") and re.fullmatch(OUTCOME_NAME, argument) is not None


def _failed() -> nw.Expr:
    """1 for a request that the backend failed, also where its fallback answered.

    Most have no flags, and the pattern is then not tried on them.
    """
    by_flags = _one_when(nw.col("flags").str.contains(UPSTREAM_FAILED))
    unless_plain = nw.when(nw.col("flags") == "").then(nw.lit(0)).otherwise(by_flags)
    fell_back = nw.col("answered_by") != nw.col("backend")
    return nw.when((nw.col("status") >= 500) | fell_back).then(nw.lit(1)).otherwise(unless_plain)


def _one_when(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))
