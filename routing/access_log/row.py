"""From a line of the access log to a request row; here the raw unit ends."""

import math
from collections.abc import Iterable
from typing import Any

from routing.access_log.keeping import kept_share
from routing.access_log.line import LogLine, read_line
from routing.access_log.results import OF_BACKEND, OF_TIME, Result, ending_of, left_early, stop
from routing.allocation.unit_identity import unit_hash
from routing.protocols import Count

PRICED_TOKENS = 1_000_000
LARGEST_COUNT = 2**53
UNREADABLE_JSON = "unreadable-json"
JSON_TYPES = ("application/json", "+json")


def to_row(line: bytes, edge: str, unit_key: bytes) -> dict[str, Any]:
    """The request row of the lake, with the unit as its keyed hash.

    A number that cannot be one is unknown, and named in `unreadable`.

    Raises:
        BrokenLineError: this is not a whole line of the access log.

    """
    log = read_line(line)
    facts, ending = log.facts, ending_of(log)
    told = _Told(log, answered=ending.result == Result.SUCCESS)
    return {
        "time": log.time,
        "request_id": log.request_id,
        "edge": edge,
        "unit": unit_hash(unit_key, log.unit) if log.unit and log.has_unit else None,
        "without_unit": None if log.has_unit else without_unit(log),
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
        "result": ending.result.value,
        "failure": ending.cause or None,
        "duration_ms": log.duration_ms if log.duration_us is None else log.duration_us / 1000,
        "ttft_ms": None if log.ttft_us is None else log.ttft_us / 1000,
        "prompt_tokens": told.prompt_tokens,
        "completion_tokens": told.completion_tokens,
        "cost": cost(log, told),
        "answered_by": log.answered_by.backend if log.answered_by else None,
        "retries": max(log.attempts - 1, 0),
        "finish": finish(log),
        "stop": stop(log),
        "inter_token_ms": inter_token_ms(log, told.completion_tokens),
        "tier": facts.tier,
        "held_out": facts.held_out,
        "queue_ms": told.queue_ms,
        "client": facts.client,
        "stream": log.asked_for_stream,
        "unreadable": ",".join(told.unreadable) or None,
        "run": log.run,
        "kept_share": kept_share(facts),
    }


class _Told:
    """The numbers that an answer told in its headers or its body; what is no such number is unknown.

    So is a usage of nothing at all of a request that was answered: its server does not count.
    """

    def __init__(self, log: LogLine, *, answered: bool) -> None:
        self.unreadable: list[str] = []
        body, headers = log.facts.answer, log.facts
        prompt = self._count(Count.PROMPT_TOKENS, headers.prompt_tokens, body and body.prompt_tokens)
        completion = self._count(Count.COMPLETION_TOKENS, headers.completion_tokens, body and body.completion_tokens)
        total = self._count(Count.TOTAL_TOKENS, body and body.total_tokens)
        if answered and prompt == 0 and not completion and not total:
            self.unreadable.append(Count.PROMPT_TOKENS.value)
            prompt = completion = total = None
        if is_part(log):
            completion = None
        counted = prompt is not None or total is not None
        if completion is None and counted and log.shape is not None and not log.shape.completes:
            completion = 0
        if prompt is None and total is not None and completion is not None and total >= completion:
            prompt = total - completion
        self.cached = self._cached(log)
        self.fresh_tokens, self.completion_tokens = prompt, completion
        self.prompt_tokens = _sum([prompt, *(count for count, _ in self.cached)])
        self.queue_ms = self._milliseconds(headers.queue_ms)

    def _count(self, name: Count, in_headers: object, in_body: object = None) -> int | None:
        """What was told, by headers before the body, where it is a whole number from 0 on."""
        value = in_body if in_headers is None else in_headers
        number = _number(value)
        if number is not None and 0 <= number < LARGEST_COUNT and number.is_integer():
            return int(number)
        if value is not None:
            self.unreadable.append(name.value)
        return None

    def _cached(self, log: LogLine) -> list[tuple[int | None, float]]:
        """Tokens of the prompt that a kind counts apart, where it told any, and what each costs: a share of others."""
        body, shares = log.facts.answer, log.protocol_of_backend.cache if log.protocol_of_backend else None
        if body is None or shares is None:
            return []
        apart = (
            (Count.CACHE_WRITE_TOKENS, body.cache_write_tokens, shares.written),
            (Count.CACHE_READ_TOKENS, body.cache_read_tokens, shares.read),
        )
        return [(self._count(name, told), share) for name, told, share in apart if told is not None]

    def _milliseconds(self, value: object) -> float | None:
        number = _number(value)
        if number is not None and number >= 0:
            return number
        if value is not None:
            self.unreadable.append(Count.QUEUE_MS.value)
        return None


def _sum(counts: Iterable[int | None]) -> int | None:
    """All of them together, where each is known."""
    known = list(counts)
    return None if None in known else sum(count for count in known if count is not None)


def _number(value: object) -> float | None:
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def is_part(log: LogLine) -> bool:
    """Whether a stream lacks the mark of its end, so that what it told of its completion is of a part."""
    marks = log.shape.marks if log.is_stream and log.shape is not None else ()
    told = log.facts.answer
    return bool(marks) and told is not None and told.names("ends").isdisjoint(marks)


def cost(log: LogLine, told: _Told) -> float | None:
    """What the tokens cost, in the currency of the prices; None when a count that has a price is unknown."""
    answer = log.answered_by
    if answer is None:
        return None
    cached = [(count, share * answer.prompt_price) for count, share in told.cached]
    counted = (
        (told.fresh_tokens, answer.prompt_price),
        (told.completion_tokens, answer.completion_price),
        *cached,
    )
    known = [count * price for count, price in counted if count is not None]
    if not known or any(count is None and price > 0 for count, price in counted):
        return None
    return sum(known) / PRICED_TOKENS


def finish(log: LogLine) -> str:
    """How the answer ended: `complete`, or cut off by the `client`, by the `backend`, or at a `timeout`."""
    if left_early(log):
        return "client"
    if not OF_TIME.isdisjoint(log.flag_set):
        return "timeout"
    return "complete" if OF_BACKEND.isdisjoint(log.flag_set) else "backend"


def inter_token_ms(log: LogLine, completion_tokens: int | None) -> float | None:
    """Milliseconds a token after the first byte of a stream; None when there is no stream or no count of its tokens."""
    if not completion_tokens or log.duration_us is None or log.ttft_us is None or not log.is_stream:
        return None
    return (log.duration_us - log.ttft_us) / 1000 / completion_tokens


def without_unit(log: LogLine) -> str:
    """Why a request has no unit, as a stable code."""
    told = log.facts.without_unit
    if told and told != UNREADABLE_JSON:
        return told
    if log.facts.unit_source == "body" and log.method not in ("GET", "HEAD", "OPTIONS"):
        sent = (log.sent_type or "").partition(";")[0].strip().lower()
        return (told or "absent") if sent.endswith(JSON_TYPES) else "not-json"
    return "absent"
