"""Measures: what one request or one outcome adds to its unit's total.

- `requests`: 1 for each request
- `errors`, `client_errors`, `redirects`, `abandoned`: 1 for each request that its backend failed, would not have, or
  sent elsewhere, and for each that its client left; `routing.access_log.results` says what is what
- `timed_out`: 1 for each request that its backend took too long for; it is an error too
- `cut_off`: 1 for each answer that had begun and broke off, by its backend's doing or as its time was over
- `truncated`, `filtered`, `refusals`: 1 for each answer that says that it was cut at a length, stopped by a filter, or
  refused by the model; whether the arms say as often why the model stopped is compared
- `duration_ms`, `ttft_ms`, `inter_token_ms`, `queue_ms`, `prompt_tokens`, `completion_tokens`, `cost`, `retries`: the
  column, where it is known
- `count(<column>)`: 1 for each request for which the column is known
- `above(<column>, <threshold>)`: 1 for each request for which the column is above the threshold, where it is known
- `outcome(<name>)`: the value of each outcome of that name
- `outcome_count(<name>)`: 1 for each outcome of that name

What requests add is a whole number of the smallest unit (see `SMALLEST`), so that their sums and sums of products are
the same in whatever order they are added. What outcomes add is their senders' to say, and stays a fraction.

What is unknown is null, and never 0: also whether a request failed whose answer could not be read.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime

import narwhals as nw

from controlplane.problems.errors import InvalidInput
from experiments.evidence.conditions import meet
from routing.access_log import FAILED, Result
from routing.access_log.results import OF_BACKEND, OF_CLIENT, OF_TIME
from routing.intake.outcomes import OUTCOME_NAME
from routing.table import Condition

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
ALWAYS_KNOWN = ("duration_ms", "retries")

SMALLEST = {"duration_ms": 1000, "ttft_ms": 1000, "inter_token_ms": 1000, "queue_ms": 1000, "cost": 10**9}
"""How many of its smallest unit make one: microseconds of a millisecond, billionths of the currency; else 1."""

LARGEST = 2.0**53
"""What a request adds at the most, in smallest units: with more, a fraction would have been no whole number before."""

RESULTS = {
    "errors": FAILED,
    "client_errors": (Result.REJECTED,),
    "redirects": (Result.REDIRECTED,),
    "abandoned": (Result.ABANDONED,),
    "timed_out": (Result.TIMED_OUT,),
}
CUT_OFF = "cut_off"
STOP = "stop"
JUDGED = "judged"
"""The column, made of others, that is null where nobody knows whether a request was answered."""

OF_ANSWERS = frozenset({JUDGED, STOP, "prompt_tokens", "completion_tokens", "cost"})
"""The columns that are read from what answers hold."""

ANSWERED = (Result.SUCCESS, Result.UNKNOWN)
"""How requests end that no failure is known of."""

NOT_ANSWERED = (*FAILED, Result.REJECTED, Result.REDIRECTED)
"""How they end without an answer, by their backend's doing."""

ENDINGS = {**RESULTS, "answered": ANSWERED, "not_answered": NOT_ANSWERED}

BROKE_OFF = ("broke-off", "unfinished")
"""Why requests failed whose answer had begun."""

STOPS = {"truncated": "length", "filtered": "content_filter", "refusals": "refusal"}

OF_REQUESTS = ("requests", *RESULTS, CUT_OFF, *STOPS, *COLUMNS)
"""The measures that are a word alone."""

NumberType = type[nw.Int64] | nw.Decimal | type[nw.Float64]
WHOLE, FRACTION = nw.Int64, nw.Float64
"""A unit's total of what requests add, and anything of outcomes."""

FACTOR, WIDE = nw.Decimal(19, 0), nw.Decimal(38, 0)
"""The same total where it is multiplied by another, and the sum over units of such products: whole on every engine."""

_ABOVE = re.compile(r"above\(\s*(?P<column>[a-z_]+)\s*,\s*(?P<threshold>\d+(\.\d+)?)\s*\)")
_CALL = re.compile(r"(?P<function>[a-z_]+)\((?P<argument>[^()]*)\)")


@dataclass(frozen=True, slots=True)
class Measure:
    """A parsed measure: a function of a request's column or of an outcome's name.

    `answered` is 1 for each request that was, `unknown` of a column for each of these that does not tell it, and
    `not_answered` is 1 for each request that its backend did not answer. Requests for which one of the columns `known`
    is unknown add nothing, and neither do requests after `until`, nor outcomes of such, nor requests that do not meet
    all `conditions`. `eased` is a variant with a threshold of its own, so that the others' values may be larger by as
    much without being more often above theirs.
    """

    function: str
    argument: str = ""
    threshold: float = 0.0
    known: tuple[str, ...] = ()
    until: datetime | None = None
    eased: tuple[str, float] | None = None
    conditions: tuple[Condition, ...] = ()

    @property
    def from_outcomes(self) -> bool:
        """Whether outcomes, not requests, are measured."""
        return self.function in ("outcome", "outcome_count")

    @property
    def is_indicator(self) -> bool:
        """Whether a request adds 1 to it or nothing."""
        return self.function not in ("sum", "outcome", "outcome_count")

    @property
    def number(self) -> NumberType:
        """What its totals are: whole numbers, or fractions where outcomes are measured."""
        return FRACTION if self.from_outcomes else WHOLE

    @property
    def scale(self) -> int:
        """How many of its smallest units make one."""
        return SMALLEST.get(self.argument, 1) if self.function == "sum" else 1

    @property
    def column(self) -> str:
        """The column that has to be known for the measure to be; empty where it always is."""
        if self.function in STOPS:
            return STOP
        if self.function == "errors":
            return JUDGED
        return self.argument if self.function in ("sum", "above") and self.argument not in ALWAYS_KNOWN else ""

    def where_known(self, columns: tuple[str, ...]) -> "Measure":
        """The same over the requests for which these columns are known."""
        return replace(self, known=columns)

    def value(self) -> nw.Expr:
        """What one row adds, in smallest units: of the requests, or of the outcomes when `from_outcomes`.

        Null adds nothing.

        With `until` a row needs the column `asked_at`, when the request came.
        """
        value = self._value()
        for column in (*self.known, JUDGED) if self.function == "errors" else self.known:
            value = nw.when(~nw.col(column).is_null()).then(value)
        if self.conditions:
            value = nw.when(meet(self.conditions)).then(value)
        return value if self.until is None else nw.when(nw.col("asked_at") <= self.until).then(value)

    def _value(self) -> nw.Expr:
        match self.function:
            case "requests":
                return nw.lit(1)
            case "sum":
                return _whole(nw.col(self.argument), self.scale)
            case "count":
                return _one_when(~nw.col(self.argument).is_null())
            case "unknown":
                return _one_when(nw.col(self.argument).is_null() & _ended_as(*ANSWERED))
            case "above":
                return nw.when(~nw.col(self.argument).is_null()).then(_one_when(self._is_above()))
            case "outcome":
                return nw.when(nw.col("name") == self.argument).then(nw.col("value"))
            case "outcome_count":
                return _one_when(nw.col("name") == self.argument)
            case "cut_off":
                return _one_when(_broke_off())
            case function if function in STOPS:
                return nw.when(~nw.col(STOP).is_null()).then(_one_when(nw.col(STOP) == STOPS[function]))
            case function:
                return _one_when(_ended_as(*ENDINGS[function]))

    def _is_above(self) -> nw.Expr:
        above = nw.col(self.argument) > self.threshold
        if self.eased is None:
            return above
        variant, threshold = self.eased
        return nw.when(nw.col("variant") == variant).then(nw.col(self.argument) > threshold).otherwise(above)


def parse(text: str) -> Measure:
    """Read a measure.

    Raises:
        InvalidInput: `measure-unknown`, the text is none of the grammar's.

    """
    text = text.strip()
    if text in OF_REQUESTS:
        return Measure("sum", text) if text in COLUMNS else Measure(text)
    above = _ABOVE.fullmatch(text)
    if above and above["column"] in COLUMNS:
        return Measure("above", above["column"], float(above["threshold"]))
    call = _CALL.fullmatch(text)
    if call and _fits(call["function"], call["argument"].strip()):
        return Measure(call["function"], call["argument"].strip())
    raise InvalidInput(
        "measure-unknown",
        f"“{text}” is not a measure.",
        next_step=f"Use {', '.join(OF_REQUESTS)}, count(<one of these columns>), "
        "above(<one of these columns>, <threshold>), outcome(<name>) or outcome_count(<name>).",
    )


def _fits(function: str, argument: str) -> bool:
    if function == "count":
        return argument in COLUMNS
    return function in ("outcome", "outcome_count") and re.fullmatch(OUTCOME_NAME, argument) is not None


def judged() -> nw.Expr:
    """The column `JUDGED` of requests: 1, or null."""
    unknown = (nw.col("result") == Result.UNKNOWN.value).fill_null(value=False)
    return nw.when(~unknown).then(nw.lit(1))


def not_answered() -> nw.Expr:
    """Whether a request ended without an answer, by its backend's doing."""
    return _ended_as(*NOT_ANSWERED)


def _ended_as(*results: Result) -> nw.Expr:
    """Whether a request ended as one of these; a row of a release that kept no result is told by what it has."""
    kept = nw.col("result").is_in([result.value for result in results])
    old = nw.lit(value=False)
    for result in results:
        old = old | _OLD_ROWS[result]
    return nw.when(~nw.col("result").is_null()).then(kept).otherwise(old)


def _broke_off() -> nw.Expr:
    """Whether an answer had begun and did not come to its end, but for its client's doing."""
    ended = nw.when(nw.col("failure") == "timed-out").then(~nw.col("ttft_ms").is_null())
    kept = ended.otherwise(nw.col("failure").is_in(BROKE_OFF))
    old = _flagged(OF_BACKEND | OF_TIME) & ~nw.col("ttft_ms").is_null()
    return nw.when(~nw.col("result").is_null()).then(kept).otherwise(old)


def _flagged(flags: frozenset[str]) -> nw.Expr:
    pattern = rf"(^|,)({'|'.join(sorted(flags))})(,|$)"
    # Most have no flags, and the pattern is then not tried on them.
    return nw.when(nw.col("flags") == "").then(nw.lit(value=False)).otherwise(nw.col("flags").str.contains(pattern))


def _of_status(status: int) -> nw.Expr:
    """Whether the backend itself answered by a status of this class, and nothing else ended the request."""
    in_class = (nw.col("status") >= status) & (nw.col("status") < status + 100)
    return in_class & ~nw.col("answered_by").is_null() & ~_old_failure() & ~_flagged(OF_CLIENT)


def _old_failure() -> nw.Expr:
    fell_back = (nw.col("answered_by") != nw.col("backend")).fill_null(value=False)
    return (nw.col("status") >= 500) | fell_back | _flagged(OF_BACKEND | OF_TIME)


_OLD_ROWS = {
    Result.SUCCESS: (nw.col("status") < 300) & ~_old_failure() & ~_flagged(OF_CLIENT),
    Result.FAILED: _old_failure(),
    Result.TIMED_OUT: _flagged(OF_TIME),
    Result.REJECTED: _of_status(400),
    Result.REDIRECTED: _of_status(300),
    Result.ABANDONED: _flagged(OF_CLIENT) & ~_old_failure(),
    Result.UNKNOWN: nw.lit(value=False),
}


def _whole(column: nw.Expr, scale: int) -> nw.Expr:
    """The nearest whole number of smallest units."""
    scaled = (column.cast(nw.Float64) * scale).round()
    return nw.when(scaled > LARGEST).then(nw.lit(LARGEST)).otherwise(scaled).cast(nw.Int64)


def _one_when(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))
