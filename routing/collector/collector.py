"""The collector: moves batches from Redis into the lake, each exactly once.

The lake alone says how far it is: a commit adds rows and remembers the stream positions they came
from, in one step that happens or does not. All else follows from it and is repeated until true, so
the collector may be killed at any point, and a second one beside it only loses races.

    read (from the lake's positions)  ->  commit (rows + positions)  ->  acknowledge (tell, trim)
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from time import monotonic

import pyarrow as pa
import structlog
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from redis import Redis
from redis.exceptions import RedisError

from routing import redis_keys
from routing.lake import delta_tables, streams
from routing.lake.batches import Batch, read_batch
from routing.lake.edge_rows import tell_gap, tell_rows
from routing.lake.schema import REQUESTS, LakeTable
from routing.places.clear_places import clear_places

log = structlog.get_logger()

COMMIT_ROWS = 20_000
ROUND_ENTRIES = 4
FIRST_RETRY_SECONDS = 0.1
LONGEST_RETRY_SECONDS = 5.0


@dataclass(slots=True)
class StreamReading:
    """Batches read but not yet committed, and how far they reach in each stream."""

    batches: list[tuple[streams.Entry, Batch]] = field(default_factory=list)
    reached: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    full: bool = False
    gaps: list[str] = field(default_factory=list)

    def add(self, entry: streams.Entry, batch: Batch, before: int) -> None:
        """Take a batch, unless it would make the commit too large; a first one is always taken.

        `before` is the position that its stream is read up to; where it follows a later one, others are missing.
        """
        if self.rows and self.rows + batch.rows.num_rows > COMMIT_ROWS:
            self.full = True
        if not self.full:
            if entry.after is not None and 0 < before < entry.after:
                self.gaps.append(entry.stream)
            self.batches.append((entry, batch))
            self.reached[entry.stream] = entry.position
            self.rows += batch.rows.num_rows


class Collector:
    """Feeds one table of the lake from its streams."""

    def __init__(self, redis: Redis, lake_url: str, table: LakeTable) -> None:
        self._redis = redis
        self._lake_url = lake_url
        self._table = table
        self._delta: DeltaTable | None = None
        self._failures = 0

    def step(self) -> bool:
        """Move what waits into the lake, at most one commit; True when more waits already.

        Raises:
            RedisError, DeltaError, OSError, Superseded: nothing is lost; the next step repeats what is due.

        """
        self._delta = self._delta or delta_tables.open_table(self._lake_url, self._table)
        reading = self.read(self._delta)
        self.commit(self._delta, reading)
        self.acknowledge(self._delta)
        streams.note_step(self._redis, self._table)
        return reading.full

    def read(self, delta: DeltaTable) -> StreamReading:
        """Batches that come after the table's own positions, a few of each stream in turn."""
        reading = StreamReading()
        cursor = self._positions(delta)
        while not reading.full:
            entries = streams.read_round(self._redis, self._table, cursor, ROUND_ENTRIES)
            if not entries:
                break
            for entry in entries:
                before = reading.reached.get(entry.stream, cursor[entry.stream])
                reading.add(entry, read_batch(self._table, entry.payload), before)
            cursor |= reading.reached
        return reading

    def commit(self, delta: DeltaTable, reading: StreamReading) -> None:
        """Write what was read, with its positions.

        What cannot be stored is set aside first: a kill in between shows it twice, never not at all.
        """
        if not reading.reached:
            return
        for entry, batch in reading.batches:
            if batch.rejected:
                streams.set_aside(self._redis, self._table, entry, batch.rejected)
        rows = pa.concat_tables(batch.rows for _, batch in reading.batches)
        delta_tables.append(delta, rows, reading.reached)
        if self._table is REQUESTS:
            self._tell(rows, reading.gaps)

    def acknowledge(self, delta: DeltaTable) -> None:
        """Tell Redis what the lake holds, also what an earlier collector did not live to tell."""
        streams.acknowledge(self._redis, self._table, self._positions(delta))

    def _tell(self, rows: pa.Table, gaps: Iterable[str]) -> None:
        """Tell how new each edge's rows are, and what is missing: the lake has them, whatever Redis says to that."""
        now = datetime.now(UTC)
        try:
            tell_rows(self._redis, rows, now)
            for stream in gaps:
                log.error("batches are missing", stream=stream)
                tell_gap(self._redis, stream.removeprefix(redis_keys.REQUESTS_PREFIX), now)
        except RedisError as error:
            log.warning("what was collected is not told", reason=str(error))
            self._clear_places_after(error)

    def run(self, seconds: float, stop: Event) -> None:
        """Step every `seconds` until stopped; at once when more waits, after a pause when a part is away.

        Each commit is a version that is kept for a while, so few of them keep the files on disk few.
        """
        pause = 0.0
        while not stop.wait(pause):
            begun = monotonic()
            try:
                pause = 0.0 if self.step() else max(0.0, begun + seconds - monotonic())
            except delta_tables.Superseded as error:
                self._delta = None
                pause = min(seconds, FIRST_RETRY_SECONDS)
                log.info("commit to the lake superseded", table=self._table.name, reason=error.detail)
            except (RedisError, DeltaError, OSError) as error:
                pause = self._wait_after(error)
            else:
                self._note_recovery()

    def _positions(self, delta: DeltaTable) -> dict[str, int]:
        return delta_tables.positions(delta, streams.streams_of(self._redis, self._table))

    def _wait_after(self, error: Exception) -> float:
        """Forget the table, which may be stale, and say once that collecting waits."""
        self._delta = None
        self._clear_places_after(error)
        if not self._failures:
            log.warning("collecting waits", table=self._table.name, reason=str(error))
        self._failures += 1
        return float(min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** min(self._failures, 10)))

    def _clear_places_after(self, error: Exception) -> None:
        """Have what lies in the place of something else removed, as each tick does: the worker may be away."""
        # In a pipeline the refusal stands behind the command.
        if redis_keys.WRONG_TYPE not in str(error):
            return
        with suppress(RedisError):
            clear_places(self._redis, redis_keys.kinds())
            known = streams.streams_of(self._redis, REQUESTS)
            edges = [name.removeprefix(redis_keys.REQUESTS_PREFIX) for name in known]
            clear_places(self._redis, redis_keys.kinds(edges=edges))

    def _note_recovery(self) -> None:
        if self._failures:
            log.info("collecting goes on", table=self._table.name, attempts=self._failures)
        self._failures = 0
