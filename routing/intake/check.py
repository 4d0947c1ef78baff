"""Lists of outcomes as they come in: each is checked by itself, so that a wrong one says nothing of the others."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from controlplane.problems.errors import FieldProblem, InvalidInput
from controlplane.problems.strict_json import Place, unusable_places
from routing.intake.fates import Fate
from routing.intake.outcomes import CLOCK_AHEAD, CLOCK_UNSET, OutcomeEvent

MOST_EVENTS = 10_000
CLOCKS = {CLOCK_AHEAD: Fate.REFUSED_AHEAD, CLOCK_UNSET: Fate.REFUSED_OLD}
_EVENT = TypeAdapter(OutcomeEvent)


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """One that cannot be taken: its place in the list, counted from 0, and what is wrong with it."""

    index: int
    problems: tuple[FieldProblem, ...]
    fate: Fate = Fate.REFUSED


@dataclass(frozen=True, slots=True)
class CheckedEvents:
    """Those that are right, in their order, and those that are not."""

    events: tuple[OutcomeEvent, ...]
    refused: tuple[RefusedEvent, ...]

    def require_all(self) -> tuple[OutcomeEvent, ...]:
        """The events, when none of the list is wrong.

        Raises:
            InvalidInput: `events-invalid`, with every problem under `events.<index>.<field>`.

        """
        if self.refused:
            raise _invalid(*(problem for refused in self.refused for problem in refused.problems))
        return self.events


def check_events(items: object) -> CheckedEvents:
    """Check a list of events as decoded from JSON.

    Raises:
        InvalidInput: `events-invalid`, it is no list; `too-many-events`, it has more than 10 000.

    """
    if not isinstance(items, list):
        raise _invalid(FieldProblem("events", "Input should be a valid list"))
    if len(items) > MOST_EVENTS:
        raise InvalidInput(
            "too-many-events",
            f"{len(items)} events came in one call; at most {MOST_EVENTS} are allowed.",
            next_step="Send them in several calls.",
        )
    found = [check_event(index, item, ("events", index)) for index, item in enumerate(items)]
    return CheckedEvents(
        tuple(each for each in found if isinstance(each, OutcomeEvent)),
        tuple(each for each in found if isinstance(each, RefusedEvent)),
    )


def check_event(index: int, item: object, path: Place = ()) -> OutcomeEvent | RefusedEvent:
    """One event as decoded from JSON; what is wrong with it is told under `path`."""
    try:
        problems = tuple(unusable_places(item, path))
        return RefusedEvent(index, problems) if problems else _EVENT.validate_python(item)
    except ValidationError as error:
        return RefusedEvent(index, tuple(_problems(error, path)), _fate(error))
    except InvalidInput as error:
        return RefusedEvent(index, (FieldProblem(_spelled(path), error.detail),))


def _fate(error: ValidationError) -> Fate:
    kinds = [problem["type"] for problem in error.errors(include_url=False, include_context=False, include_input=False)]
    return next((CLOCKS[kind] for kind in kinds if kind in CLOCKS), Fate.REFUSED)


def _problems(error: ValidationError, path: Place) -> Iterator[FieldProblem]:
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        yield FieldProblem(_spelled((*path, *problem["loc"])), problem["msg"])


def _spelled(path: Place) -> str:
    return ".".join(map(str, path)) or "event"


def _invalid(*problems: FieldProblem) -> InvalidInput:
    return InvalidInput(
        "events-invalid",
        "Some events are not valid, so none was recorded.",
        next_step="Correct the named fields and send all events again, or ask for `partial=true`.",
        problems=problems,
    )
