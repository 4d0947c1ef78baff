"""Intake of outcomes: what came of a request or a user, sent in by services as events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import to_json
from redis import Redis
from redis.exceptions import RedisError

from controlplane.problems.errors import FieldProblem, InvalidInput, Unavailable
from routing import redis_keys
from routing.allocation.unit_identity import canonical_unit, unit_hash
from routing.lake.batches import EARLIEST

MOST_EVENTS = 1000
REMEMBERED = timedelta(days=7)
LARGEST_PROPERTIES = 8192
LARGEST_VALUE = 1e12
CLOCK_TOLERANCE = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
OUTCOME_NAME = r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}"

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


def _only_text(value: object) -> object:
    if not isinstance(value, str | datetime):
        raise ValueError("Give the time as ISO 8601 text with a zone, such as 2026-01-31T12:00:00Z.")
    return value


def _plausible(time: datetime) -> datetime:
    if not EARLIEST <= time <= datetime.now(UTC) + CLOCK_TOLERANCE:
        raise ValueError("The time must lie between the year 2000 and now.")
    return time


class OutcomeEvent(BaseModel):
    """One outcome, as `POST /api/v1/events` takes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(
        min_length=1, max_length=200, description="Idempotency key; an id that was seen in the last 7 days counts once."
    )
    name: str = Field(pattern=f"^{OUTCOME_NAME}$", description="What happened, such as thumbs_up.")
    value: float = Field(
        1.0,
        ge=-LARGEST_VALUE,
        le=LARGEST_VALUE,
        allow_inf_nan=False,
        strict=True,
        description="How much of it; 1 unless told otherwise.",
    )
    unit: Annotated[str, AfterValidator(canonical_unit)] | None = Field(
        None, description="The user, by the same id that the endpoint assigns by: at most 1000 bytes of UTF-8."
    )
    request_id: str | None = Field(
        None, min_length=1, max_length=200, description="The request that it is about, by its x-request-id."
    )
    time: Annotated[AwareDatetime, BeforeValidator(_only_text), AfterValidator(_plausible)] = Field(
        default_factory=lambda: datetime.now(UTC), description="When it happened; now unless told otherwise."
    )
    properties: dict[str, JsonValue] = Field({}, description="Anything else worth keeping, at most 8 kB of JSON.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.unit is None and self.request_id is None:
            raise ValueError("Give unit or request_id, so that the outcome can be attributed.")
        if len(to_json(self.properties)) > LARGEST_PROPERTIES:
            raise ValueError(f"The properties have more than {LARGEST_PROPERTIES} bytes.")
        return self


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many events were taken in, and how many had been before."""

    accepted: int
    duplicates: int


_EVENTS = TypeAdapter(list[OutcomeEvent])


def parse_events(items: object) -> list[OutcomeEvent]:
    """Check a list of events as decoded from JSON; all of them are right, or none is taken.

    Raises:
        InvalidInput: `events-invalid`, with every problem under `events.<index>.<field>`.

    """
    try:
        return _EVENTS.validate_python(items)
    except ValidationError as error:
        problems = tuple(
            FieldProblem(".".join(map(str, ("events", *problem["loc"]))), problem["msg"])
            for problem in error.errors(include_url=False, include_context=False, include_input=False)
        )
    raise InvalidInput(
        "events-invalid",
        "The events cannot be taken as they are, so none of them was.",
        next_step="Correct the fields that are named and send all of them again.",
        problems=problems,
    )


def accept(redis: Redis, events: Sequence[OutcomeEvent], key: bytes) -> Receipt:
    """Queue the events that are new for the collector; units leave this function only as keyed hashes.

    Raises:
        InvalidInput: `too-many-events`, more than 1000 in one call.
        Unavailable: `events-unavailable`, Redis does not answer; nothing was taken, or sending again is harmless.

    """
    if len(events) > MOST_EVENTS:
        raise InvalidInput(
            "too-many-events",
            f"{len(events)} events came in one call; at most {MOST_EVENTS} are taken.",
            next_step="Send them in several calls.",
        )
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
