"""Taking outcomes in: what is new waits in Redis for the collector, each id once, and all of it is counted."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import structlog
from pydantic_core import to_json
from redis import Redis
from redis.exceptions import RedisError

from controlplane.problems.errors import Unavailable
from routing import redis_keys
from routing.allocation.unit_identity import unit_hash
from routing.intake.fates import KEPT, TAKEN, Fate
from routing.intake.outcomes import OutcomeEvent

REMEMBERED = timedelta(days=7)
LATE = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
ELSEWHERE = -1

log = structlog.get_logger(__name__)

# The ids are marked only after the batch is stored, so that an event is never marked and lost.
# All keys share the stream's slot, so that a cluster runs the script on one node.
# An import moves its own rows from one number to the next with each batch, or the batch is not taken.
STORE_NEW = """
local remembered, kept, first, following = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local names, fates, counts = cjson.decode(ARGV[5]), ARGV[6], cjson.decode(ARGV[7])
local new, marks, seen = {}, {}, {}
if following ~= '' and (redis.call('HGET', KEYS[3], 'rows') or '0') ~= first then return -1 end
for i = 4, #KEYS do
  local name = names[#names]
  if not seen[KEYS[i]] and redis.call('EXISTS', KEYS[i]) == 0 then
    new[#new + 1], marks[#marks + 1], seen[KEYS[i]] = ARGV[i + 4], KEYS[i], true
    name = names[tonumber(string.sub(fates, i - 3, i - 3))]
  end
  counts[name] = (counts[name] or 0) + 1
end
if #new > 0 then
  redis.call('XADD', KEYS[1], '*', 'rows', '[' .. table.concat(new, ',') .. ']')
  for _, mark in ipairs(marks) do redis.call('SET', mark, '', 'EX', remembered) end
end
for name, count in pairs(counts) do
  redis.call('HINCRBY', KEYS[2], name, count)
  if following ~= '' then redis.call('HINCRBY', KEYS[3], name, count) end
end
redis.call('EXPIRE', KEYS[2], kept)
if following ~= '' then
  redis.call('HSET', KEYS[3], 'rows', following)
  redis.call('EXPIRE', KEYS[3], kept)
end
return #new
"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many events were taken in, and how many had been before."""

    accepted: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class Step:
    """A batch of an import: which, and that it leads from one number of rows to another."""

    progress: str
    first: int
    following: int


def accept(redis: Redis, events: Sequence[OutcomeEvent], key: bytes, *, refused: Iterable[Fate] = ()) -> Receipt:
    """Queue the events that are new for the collector; units leave this function only as keyed hashes.

    `refused` are those that came with them and were not taken, which are counted too.

    Raises:
        Unavailable: `events-unavailable`, Redis does not answer; nothing was taken, or sending again is harmless.

    """
    others = Counter(refused)
    if not events and not others:
        return Receipt(0, 0)
    new = store(redis, events, key, others)
    return Receipt(new, len(events) - new)


def store(
    redis: Redis, events: Sequence[OutcomeEvent], key: bytes, others: Counter[Fate], step: Step | None = None
) -> int:
    """Queue, mark and count in one step that happens or does not; how many were new.

    `ELSEWHERE` when the import is not where the step begins; then nothing is done. Raises as `accept` does.
    """
    # In the order of the call, so that of two outcomes about one thing the later one is the newer.
    now = datetime.now(UTC)
    keys = [redis_keys.OUTCOMES, redis_keys.outcome_counts(now.date()), step.progress if step else redis_keys.OUTCOMES]
    rows = [to_json(_row(event, key, now + number * MICROSECOND)) for number, event in enumerate(events)]
    arguments = [
        int(REMEMBERED.total_seconds()),
        int(KEPT.total_seconds()),
        step.first if step else "",
        step.following if step else "",
        json.dumps([*TAKEN, Fate.DUPLICATE]),
        "".join(str(TAKEN.index(fate) + 1) for fate in _fates(events, now)),
        json.dumps(others),
    ]
    names = [*keys, *(redis_keys.outcome_mark(event.id) for event in events)]
    try:
        return cast("int", redis.eval(STORE_NEW, len(names), *names, *arguments, *rows))
    except RedisError as error:
        raise Unavailable(
            "events-unavailable",
            "The events cannot be queued, because Redis does not answer.",
            next_step="Send the same events again in a moment; their ids keep them from counting twice.",
        ) from error


def count_refused(redis: Redis, refused: Iterable[Fate]) -> None:
    """Count events of which none was taken; a refusal is said all the same where that cannot be counted."""
    try:
        accept(redis, (), b"", refused=refused)
    except Unavailable as error:
        log.warning("refused events are not counted", code=error.code)


def _fates(events: Sequence[OutcomeEvent], now: datetime) -> Iterator[Fate]:
    """What becomes of each event if it is new."""
    newest = datetime.min.replace(tzinfo=UTC)
    for event in events:
        if event.time > now:
            yield Fate.AHEAD
        elif event.time < now - LATE:
            yield Fate.LATE
        else:
            yield Fate.OUT_OF_ORDER if event.time < newest else Fate.ON_TIME
        newest = max(newest, event.time)


def _row(event: OutcomeEvent, key: bytes, received_at: datetime) -> dict[str, Any]:
    """The event as a row of the lake's table."""
    return {
        "id": event.id,
        "time": event.time,
        "received_at": received_at,
        "name": event.name,
        "value": event.value,
        "unit": None if event.unit is None else unit_hash(key, event.unit),
        "request_id": event.request_id,
        "properties": to_json(event.properties).decode(),
    }
