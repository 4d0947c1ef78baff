"""What an edge reports, read as far as this release can: an edge may be of another one.

A field that is not known here is ignored, one that is missing has its default, and what cannot be read is named and
left out, so that it hides nothing else.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Json, TypeAdapter, ValidationError

from routing.access_log.losses import Loss
from routing.guard import Cut
from routing.protocols.load import Load

LARGEST_VERSION = 2**63 - 1
MOST_PROBLEMS = 5

MOST_COUNTED = 10_000
"""Requests that one cut may count: ten times what a guard remembers."""

Read = TypeVar("Read")


def _none_if_empty(value: object) -> object:
    return value or None


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _countable(cut: Cut) -> Cut:
    counts = ((cut.failures, cut.requests), (cut.control_failures, cut.control_requests))
    if cut.guard_round < 0 or not all(0 <= failures <= requests <= MOST_COUNTED for failures, requests in counts):
        raise ValueError("its counts contradict each other")
    return cut


def _dated(loss: Loss) -> Loss:
    if loss.rows is not None and loss.rows < 0:
        raise ValueError("fewer than no rows")
    if any(datetime.fromisoformat(moment).tzinfo is None for moment in (loss.since, loss.until)):
        raise ValueError("a time has no zone")
    return loss


def _finite(load: Load) -> Load:
    if not all(value is None or math.isfinite(value) for value in (load.waiting, load.running, load.cache_used)):
        raise ValueError("a number is not finite")
    return load


_CUT: TypeAdapter[Cut] = TypeAdapter(Annotated[Cut, AfterValidator(_countable)])
_LOSS: TypeAdapter[Loss] = TypeAdapter(Annotated[Loss, AfterValidator(_dated)])
_LOAD: TypeAdapter[Load] = TypeAdapter(Annotated[Load, AfterValidator(_finite)])

Moment = Annotated[datetime, AfterValidator(_in_utc)]


class _Told(BaseModel):
    """The fields of a heartbeat's hash, all of them text."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    zone: str = Field("", max_length=63)
    labels: str = Field("", max_length=500)
    applied_version: int = Field(0, ge=0, le=LARGEST_VERSION)
    applied_at: Annotated[Moment | None, BeforeValidator(_none_if_empty)] = None
    seen_at: Moment | None = None
    healthy: bool = True
    error: str = ""
    cuts: Json[list[Any]] = []
    loads: Json[dict[str, Any]] = {}
    losses: Json[list[Any]] = []


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What an edge said of itself; `unread` says what of it could not be read, and is empty where all could."""

    zone: str
    labels: str
    applied_version: int
    applied_at: datetime | None
    seen_at: datetime
    healthy: bool
    error: str
    cuts: tuple[Cut, ...]
    loads: Mapping[str, Load]
    losses: tuple[Loss, ...]
    unread: str


def read_heartbeat(fields: Mapping[str, str], now: datetime) -> Heartbeat:
    """Read the fields of a hash that has not expired; an edge is never seen later than `now`.

    >>> beat = read_heartbeat({"applied_version": "seven", "zone": "eu", "mood": "fine"}, datetime.now(UTC))
    >>> beat.zone, beat.applied_version, beat.unread
    ('eu', 0, 'applied_version: Input should be a valid integer, unable to parse string as an integer')
    """
    told, problems = _told(fields)
    cuts, wrong_cuts = _each(_CUT, ((f"cuts.{place}", cut) for place, cut in enumerate(told.cuts)))
    loads, wrong_loads = _each(_LOAD, told.loads.items())
    losses, wrong_losses = _each(_LOSS, ((f"losses.{place}", loss) for place, loss in enumerate(told.losses)))
    unread = [*problems, *wrong_cuts, *(f"loads.{problem}" for problem in wrong_loads), *wrong_losses]
    return Heartbeat(
        told.zone,
        told.labels,
        told.applied_version,
        told.applied_at,
        min(told.seen_at or now, now),
        told.healthy,
        told.error,
        tuple(cuts.values()),
        loads,
        tuple(losses.values()),
        "; ".join(unread[:MOST_PROBLEMS]),
    )


def read_cuts(told: Iterable[object]) -> list[Cut]:
    """The cuts that can be read, of a list as an edge told it."""
    found, _ = _each(_CUT, enumerate(told))
    return list(found.values())


def read_losses_told(told: Iterable[object]) -> list[Loss]:
    """The losses that can be read, of a list as an edge told it."""
    found, _ = _each(_LOSS, enumerate(told))
    return list(found.values())


def _told(fields: Mapping[str, str]) -> tuple[_Told, list[str]]:
    try:
        return _Told.model_validate(fields), []
    except ValidationError as error:
        wrong = {str(problem["loc"][0]) for problem in error.errors()}
        told, _ = _told({name: value for name, value in fields.items() if name not in wrong})
        return told, _sentences(error)


def _each(adapter: TypeAdapter[Read], entries: Iterable[tuple[Any, object]]) -> tuple[dict[Any, Read], list[str]]:
    """The entries that can be read, by name, and what is wrong with the others."""
    found: dict[Any, Read] = {}
    problems: list[str] = []
    for name, entry in entries:
        try:
            found[name] = adapter.validate_python(entry)
        except ValidationError as error:
            problems += (f"{name}.{sentence}" for sentence in _sentences(error))
    return found, problems


def _sentences(error: ValidationError) -> list[str]:
    return [f"{'.'.join(map(str, problem['loc'])) or 'it'}: {problem['msg']}" for problem in error.errors()]
