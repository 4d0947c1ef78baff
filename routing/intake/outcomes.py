"""Outcomes: what came of a request or a user, as a service sends it in."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    model_validator,
)
from pydantic_core import PydanticCustomError, to_json

from routing.allocation.unit_identity import canonical_unit
from routing.lake.batches import EARLIEST

LARGEST_PROPERTIES = 8192
LARGEST_VALUE = 1e12
CLOCK_TOLERANCE = timedelta(hours=1)
CLOCK_AHEAD = "clock_ahead"
CLOCK_UNSET = "clock_unset"
OUTCOME_NAME = r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}"


def _only_text(value: object) -> object:
    if not isinstance(value, str | datetime):
        raise ValueError("Give the time as ISO 8601 text with a zone, such as 2026-01-31T12:00:00Z.")
    return value


def _plausible(time: datetime) -> datetime:
    if time > datetime.now(UTC) + CLOCK_TOLERANCE:
        raise PydanticCustomError(CLOCK_AHEAD, "The time is more than an hour ahead of the clock of Sluice.")
    if time < EARLIEST:
        raise PydanticCustomError(CLOCK_UNSET, "The time lies before the year 2000, as if no clock were set.")
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
        None, description="Id of the user, as the endpoint reads it: at most 1000 bytes of UTF-8."
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
            raise ValueError("Give `unit` or `request_id`, so that the outcome can be attributed.")
        if len(to_json(self.properties)) > LARGEST_PROPERTIES:
            raise ValueError(f"The properties have more than {LARGEST_PROPERTIES} bytes.")
        return self
