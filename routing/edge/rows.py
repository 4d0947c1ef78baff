"""From a line of the access log to a request row; here the raw unit ends."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from routing.units import unit_hash

PRICED_TOKENS = 1_000_000

# Envoy writes the fields in alphabetical order.
LINE_START = b'{"answered_by":'

STREAM = "text/event-stream"

# Envoy's response flags: who ended an answer before its end.
CUT_BY_CLIENT = frozenset({"DC", "DPE"})
TIMED_OUT = frozenset({"UT", "SI", "DT", "UMSDR"})
CUT_BY_BACKEND = frozenset({"UC", "UF", "UH", "UR", "UPE", "LR", "URX", "NC"})


class BrokenLineError(ValueError):
    """A line that no request row can be made of."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the route said of a request, and the backend's answer of its tokens."""

    endpoint: str
    backend: str
    table_version: int
    forced: bool
    shadow: bool = False
    held_out: bool = False
    tier: str | None = None
    experiment: str | None = None
    variant: str | None = None
    stage: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    queue_ms: float | None = None
    client: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Which backend answered, and its prices of a million tokens."""

    backend: str
    prompt_price: float
    completion_price: float


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the access log; times in the units that their names say."""

    time: str
    request_id: str
    unit: str | None
    status: int
    flags: str
    duration_ms: float
    duration_us: float | None
    ttft_us: float | None
    facts: Facts
    answered_by: Answer | None = None
    attempts: int = 0
    kind: str | None = None

    def ended_at(self) -> float:
        """When the answer ended, in seconds since the epoch."""
        return datetime.fromisoformat(self.time).timestamp() + self.duration_ms / 1000


_LINE = TypeAdapter(LogLine)


def to_row(line: bytes, edge: str, unit_key: bytes) -> dict[str, Any]:
    """The request row of the lake, with the unit as its keyed hash.

    Raises:
        BrokenLineError: this is not a whole line of the access log.

    """
    log = _read(line)
    facts = log.facts
    return {
        "time": log.time,
        "request_id": log.request_id,
        "edge": edge,
        "unit": unit_hash(unit_key, log.unit) if log.unit else None,
        "endpoint": facts.endpoint,
        "backend": facts.backend,
        "experiment": facts.experiment,
        "variant": facts.variant,
        "stage": facts.stage,
        "table_version": facts.table_version,
        "shadow": facts.shadow,
        "forced": facts.forced,
        "status": log.status,
        "flags": "" if log.flags == "-" else log.flags,
        "duration_ms": log.duration_ms if log.duration_us is None else log.duration_us / 1000,
        "ttft_ms": None if log.ttft_us is None else log.ttft_us / 1000,
        "prompt_tokens": facts.prompt_tokens,
        "completion_tokens": facts.completion_tokens,
        "cost": cost(log),
        "answered_by": log.answered_by.backend if log.answered_by else None,
        "retries": max(log.attempts - 1, 0),
        "finish": finish(log),
        "inter_token_ms": inter_token_ms(log),
        "tier": facts.tier,
        "held_out": facts.held_out,
        "queue_ms": facts.queue_ms,
        "client": facts.client,
    }


def cost(log: LogLine) -> float | None:
    """What the tokens cost, in the currency of the prices; None when a count that has a price is unknown."""
    facts, answer = log.facts, log.answered_by
    if answer is None:
        return None
    counted = ((facts.prompt_tokens, answer.prompt_price), (facts.completion_tokens, answer.completion_price))
    known = [count * price for count, price in counted if count is not None]
    if not known or any(count is None and price > 0 for count, price in counted):
        return None
    return sum(known) / PRICED_TOKENS


def finish(log: LogLine) -> str:
    """How the answer ended: `complete`, or cut off by the `client`, by the `backend`, or at a `timeout`."""
    flags = set(log.flags.split(","))
    if flags & CUT_BY_CLIENT:
        return "client"
    if flags & TIMED_OUT:
        return "timeout"
    return "backend" if flags & CUT_BY_BACKEND else "complete"


def failed(log: LogLine) -> bool:
    """Whether its backend failed a request: by a 5xx, a reset or a time-out, also where a fallback answered."""
    fell_back = log.answered_by is not None and log.answered_by.backend != log.facts.backend
    return log.status >= 500 or fell_back or finish(log) in ("backend", "timeout")


def inter_token_ms(log: LogLine) -> float | None:
    """Milliseconds a token after the first byte of a stream; None when there is no stream or no count of its tokens."""
    tokens = log.facts.completion_tokens
    if not tokens or log.duration_us is None or log.ttft_us is None or not (log.kind or "").startswith(STREAM):
        return None
    return (log.duration_us - log.ttft_us) / 1000 / tokens


def _read(line: bytes) -> LogLine:
    # An Envoy that was killed may leave half a line, and the next one goes on behind it.
    last_start = line.rfind(LINE_START)
    try:
        return _LINE.validate_json(line[max(last_start, 0) :])
    except ValidationError as error:
        places = ", ".join(".".join(map(str, problem["loc"])) or "line" for problem in error.errors())
        raise BrokenLineError(places) from None
