"""Taking outcomes in: what is new waits in Redis for the collector, each id once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from pydantic_core import to_json
from redis import Redis
from redis.exceptions import RedisError

from controlplane.problems.errors import Unavailable
from routing import redis_keys
from routing.allocation.unit_identity import unit_hash
from routing.intake.outcomes import OutcomeEvent

REMEMBERED = timedelta(days=7)
MICROSECOND = timedelta(microseconds=1)

# The ids are marked only after the batch is stored, so that an event is never marked and lost.
# Their keys share the stream's slot, so that a cluster runs the script on one node.
STORE_NEW = """
local seconds, new, marks, seen = ARGV[1], {}, {}, {}
for i = 2, #KEYS do
  if not seen[KEYS[i]] and redis.call('EXISTS', KEYS[i]) == 0 then
    new[#new + 1], marks[#marks + 1], seen[KEYS[i]] = ARGV[i], KEYS[i], true
  end
end
if #new > 0 then
  redis.call('XADD', KEYS[1], '*', 'rows', '[' .. table.concat(new, ',') .. ']')
  for _, mark in ipairs(marks) do redis.call('SET', mark, '', 'EX', seconds) end
end
return #new
"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many events were taken in, and how many had been before."""

    accepted: int
    duplicates: int


def accept(redis: Redis, events: Sequence[OutcomeEvent], key: bytes) -> Receipt:
    """Queue the events that are new for the collector; units leave this function only as keyed hashes.

    Raises:
        Unavailable: `events-unavailable`, Redis does not answer; nothing was taken, or sending again is harmless.

    """
    if not events:
        return Receipt(0, 0)
    # In the order of the call, so that of two outcomes about one thing the later one is the newer.
    now = datetime.now(UTC)
    names = [redis_keys.OUTCOMES, *(_mark(event.id) for event in events)]
    rows = [to_json(_row(event, key, now + number * MICROSECOND)) for number, event in enumerate(events)]
    try:
        new = cast("int", redis.eval(STORE_NEW, len(names), *names, int(REMEMBERED.total_seconds()), *rows))
    except RedisError as error:
        raise Unavailable(
            "events-unavailable",
            "The events cannot be queued, because Redis does not answer.",
            next_step="Send the same events again in a moment; their ids keep them from counting twice.",
        ) from error
    return Receipt(new, len(events) - new)


def _mark(event_id: str) -> str:
    return f"{{{redis_keys.OUTCOMES}}}:id:{event_id}"


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
