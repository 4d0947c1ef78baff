"""Running an import: chunk by chunk, each taken once whoever dies when.

Redis alone says how many rows are in: it moves that number in the step that takes a chunk. The database follows, and a
chunk that it did not hear of is sent again, is not taken again, and is noted then.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone
from redis import Redis
from redis.exceptions import LockError, RedisError

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.models import Role
from controlplane.problems.errors import Conflict, FieldProblem, InvalidInput, SluiceError, Unavailable
from routing import redis_keys
from routing.importing.files import file_of, forget_file
from routing.importing.identities import Survey, chunks, identified, survey
from routing.importing.records import Record, read_records, refusal
from routing.intake.accept import ELSEWHERE, Step, store
from routing.intake.check import RefusedEvent
from routing.intake.erased import is_erased
from routing.intake.fates import KEPT, TAKEN, Fate, fate_counts
from routing.intake.outcomes import OutcomeEvent
from routing.models import EventImport

MOST_NAMED = 1_000
"""Rows whose problems are kept; the others are counted."""

MOST_WAITING = 100
"""Batches in Redis for the collector; beyond that an import waits."""

LEASE_SECONDS = 10
WAIT_SECONDS = 0.2

State = EventImport.State
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where outcomes go: Redis, the lake that they come to, and the key of units."""

    redis: Redis
    lake_url: str
    unit_key: bytes


def run_import(found: EventImport, place: Place) -> bool:
    """Bring an import to its end, from where it is; False when another process is at it.

    Raises:
        Unavailable: Redis or the lake does not answer; run it again, and it goes on.
        Conflict: `import-elsewhere`, another process has taken it over.

    """
    lease = place.redis.lock(redis_keys.import_lease(found.key), timeout=LEASE_SECONDS, thread_local=False)
    try:
        if not lease.acquire(blocking=False):
            return False
    except RedisError as error:
        raise _away() from error
    try:
        found.refresh_from_db()
        if found.state in (State.WAITING, State.RUNNING):
            _run(found, place, lambda: _keep(lease, found))
    except InvalidInput as error:
        _end(found, State.FAILED, f"{error.detail} {error.next_step}")
    except (LockError, RedisError) as error:
        raise _away() from error
    finally:
        _release(lease)
    return True


def _run(found: EventImport, place: Place, go_on: Callable[[], object]) -> None:
    path = file_of(found)
    if not path.exists():
        raise refusal("file-missing", "The file is not there any more.")
    EventImport.objects.filter(pk=found.pk).update(state=State.RUNNING, changed_at=timezone.now())
    surveyed = survey(_awake(read_records(path, found.kind), go_on), place.lake_url)
    EventImport.objects.filter(pk=found.pk).update(rows=surveyed.rows, changed_at=timezone.now())
    _restore(found, place.redis)
    for chunk in chunks(islice(read_records(path, found.kind), found.reached, None)):
        go_on()
        _wait_for_room(place.redis, go_on)
        _take(found, place, surveyed, chunk)
    _end(found, State.DONE)


def _take(found: EventImport, place: Place, surveyed: Survey, chunk: Sequence[Record]) -> None:
    """Send a chunk and note how far the import is."""
    first, following = found.reached, found.reached + len(chunk)
    rows = range(first, following)
    read = [
        identified(record, surveyed.repeats.get(row, 0))
        for row, record in zip(rows, chunk, strict=True)
        if row not in surveyed.known
    ]
    lines = [record.line for row, record in zip(rows, chunk, strict=True) if row not in surveyed.known]
    read = _without_erased(read, lines, place.unit_key)
    refused = [each for each in read if isinstance(each, RefusedEvent)]
    others = Counter(each.fate for each in refused)
    others[Fate.DUPLICATE] += len(chunk) - len(read)
    events = [each for each in read if isinstance(each, OutcomeEvent)]
    step = Step(redis_keys.import_progress(found.key), first, following)
    new = store(place.redis, events, place.unit_key, others, step)
    progress = _progress(place.redis, found)
    if new == ELSEWHERE and int(progress.get("rows", "0")) != following:
        raise _elsewhere(found)
    _note(found, following, fate_counts(progress), [*found.problems, *_named(refused)][:MOST_NAMED])


def _without_erased(
    read: Sequence[OutcomeEvent | RefusedEvent], lines: Sequence[int], key: bytes
) -> list[OutcomeEvent | RefusedEvent]:
    """The rows, of which those of erased users are refused."""
    gone = iter(is_erased([each for each in read if isinstance(each, OutcomeEvent)], key))
    problem = FieldProblem("unit", "The user was erased after this happened.")
    return [
        RefusedEvent(line, (problem,), Fate.ERASED) if isinstance(each, OutcomeEvent) and next(gone) else each
        for each, line in zip(read, lines, strict=True)
    ]


def _note(found: EventImport, following: int, counts: Mapping[Fate, int], problems: list[dict[str, Any]]) -> None:
    changes: dict[str, Any] = {
        "reached": following,
        "accepted": sum(counts[fate] for fate in TAKEN),
        "duplicates": counts[Fate.DUPLICATE],
        "refused": sum(counts[fate] for fate in Fate if fate not in (*TAKEN, Fate.DUPLICATE)),
        "problems": problems,
    }
    here = EventImport.objects.filter(pk=found.pk, reached=found.reached)
    if not here.update(**changes, changed_at=timezone.now()):
        raise _elsewhere(found)
    for name, value in changes.items():
        setattr(found, name, value)


def _named(refused: Sequence[RefusedEvent]) -> list[dict[str, Any]]:
    return [
        {"line": each.index, "field": problem.field[:100], "message": problem.message[:300]}
        for each in refused[:MOST_NAMED]
        for problem in each.problems[:1]
    ]


def _progress(redis: Redis, found: EventImport) -> dict[str, str]:
    answer = redis.hgetall(redis_keys.import_progress(found.key))
    return {_text(name): _text(value) for name, value in answer.items()}


def _restore(found: EventImport, redis: Redis) -> None:
    """Tell a Redis that lost its data how far the import is."""
    if found.reached and not redis.exists(redis_keys.import_progress(found.key)):
        told: list[str | int] = ["rows", found.reached, Fate.ON_TIME, found.accepted]
        told += [Fate.DUPLICATE, found.duplicates, Fate.REFUSED, found.refused]
        redis.hset(redis_keys.import_progress(found.key), items=told)
        redis.expire(redis_keys.import_progress(found.key), KEPT)


def _awake(records: Iterable[Record], go_on: Callable[[], object]) -> Iterator[Record]:
    """The records, while the lease is kept."""
    for chunk in chunks(records):
        go_on()
        yield from chunk


def _wait_for_room(redis: Redis, go_on: Callable[[], object]) -> None:
    while redis.xlen(redis_keys.OUTCOMES) > MOST_WAITING:
        time.sleep(WAIT_SECONDS)
        go_on()


def _end(found: EventImport, state: State, failure: str = "") -> None:
    actor = Actor(found.actor, Role.SENDER)
    counts = {"accepted": found.accepted, "duplicates": found.duplicates, "refused": found.refused}
    with transaction.atomic():
        EventImport.objects.filter(pk=found.pk).update(state=state, failure=failure, changed_at=timezone.now())
        verb = "finish" if state is State.DONE else "fail"
        record(actor, verb, "event-import", found.key, after={"name": found.name, **counts}, reason=failure)
    forget_file(found)


def _keep(lease: Any, found: EventImport) -> None:
    """Hold the lease for longer; one that lapsed meanwhile is taken again, if nobody else has it."""
    try:
        lease.reacquire()
    except LockError as error:
        if not lease.acquire(blocking=False):
            raise _elsewhere(found) from error


def _release(lease: Any) -> None:
    try:
        lease.release()
    except (LockError, RedisError) as error:
        log.info("the lease of an import lapses by itself", reason=str(error))


def _elsewhere(found: EventImport) -> Conflict:
    return Conflict(
        "import-elsewhere", f"Another process imports {found.name}.", next_step="Ask for the import's state."
    )


def _away() -> SluiceError:
    return Unavailable(
        "import-waits", "Redis does not answer.", next_step="Nothing is lost; the import goes on once it does."
    )


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()
