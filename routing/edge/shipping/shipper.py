"""Ships the spool to the stream of request batches: all of it, each line once, whatever dies in between.

Nothing is remembered here. The stream knows how far shipping got, and after any doubt it is asked.
"""

import time
from collections.abc import Iterator
from typing import Any

import structlog
from redis.exceptions import RedisError

from routing.access_log import BrokenLineError, to_row
from routing.access_log.counts import Tally
from routing.access_log.keeping import is_kept
from routing.edge.shipping.batch_stream import RequestStream
from routing.edge.state.spool import START, Position, Spool, SpoolBatch

log = structlog.get_logger()

IDLE_SECONDS = 0.1

# How much may wait in Redis for the collector; more waits on disk, where there is more room.
UNCOLLECTED_BYTES = 256 << 20

# When Redis has lost its data, the collector tells it how far the lake is. Who ships before that may send again
# what the lake has.
COLLECTOR_SECONDS = 10.0


class Shipper:
    """Ships one edge's spool."""

    def __init__(
        self,
        stream: RequestStream,
        spool: Spool,
        *,
        edge: str,
        unit_key: bytes,
        collector_seconds: float = COLLECTOR_SECONDS,
    ) -> None:
        self._stream = stream
        self._spool = spool
        self._edge = edge
        self._unit_key = unit_key
        self._collector_seconds = collector_seconds
        self._shipped: Position | None = None
        self.tally = Tally()
        self._counted_until: Position | None = None
        self._stream_is_new = False
        self._without_word_since: float | None = None

    def step(self) -> float:
        """Ship one batch, if there is one; returns the seconds to wait before the next step.

        Raises:
            RedisError: it is not known whether the batch was stored; the next step asks.

        """
        try:
            self._shipped = self._shipped or self._resume()
            after = self._shipped
            batch = self._next_batch(after) if after else None
            if after is None or batch is None:
                return IDLE_SECONDS
            rows = list(self._rows(batch))
            tally = self.tally.copy()
            tally.count(rows)
            kept, counted, is_new = list(filter(is_kept, rows)), tally.to_json(), self._stream_is_new
            stored = self._stream.append(batch.end, kept, after=after, create=is_new, counted=counted)
        except RedisError:
            self._shipped = None
            raise
        # A stream that is gone took with it what the lake did not have yet.
        self._shipped = batch.end if stored else None
        if stored:
            self.tally, self._counted_until = tally, batch.end
        self._stream_is_new = False
        # Under load lines come all the time: few large batches cost less than many small ones.
        return 0.0 if batch.more or not stored else IDLE_SECONDS

    @property
    def shipped(self) -> Position | None:
        """The place up to which all is shipped; None while that is not known."""
        return self._shipped

    def _resume(self) -> Position | None:
        """Where to go on: behind what was shipped or is in the lake; None while that cannot be known yet."""
        shipped = self._stream.last()
        self._stream_is_new = shipped is None
        known = [place for place in (shipped, self._stream.collected()) if place is not None]
        if not known and self._spool.was_shipped() and not self._waited_enough():
            return None
        self._without_word_since = None
        place = max(known, default=START)
        self._recount(place)
        self._spool.note_shipping()
        return place

    def _recount(self, place: Position) -> None:
        """Go on counting from a place, unless this agent knows better already."""
        if place == self._counted_until:
            return
        from_the_start = place == START and not self._spool.was_shipped()
        self.tally = self._counted(place) or Tally(whole=from_the_start)
        self._counted_until = place

    def _counted(self, place: Position) -> Tally | None:
        counted = self._stream.counted(place)
        try:
            return Tally.from_json(counted) if counted else None
        except ValueError as error:
            log.warning("counts left aside", reason=str(error))
            return None

    def _waited_enough(self) -> bool:
        now = time.monotonic()
        self._without_word_since = self._without_word_since or now
        return now - self._without_word_since >= self._collector_seconds

    def _next_batch(self, shipped: Position) -> SpoolBatch | None:
        batch = self._spool.read(shipped)
        if batch is None:
            return None
        collected = self._stream.collected() or START
        waiting = self._spool.bytes_after(collected) - self._spool.bytes_after(shipped)
        return batch if waiting < UNCOLLECTED_BYTES else None

    def _rows(self, batch: SpoolBatch) -> Iterator[dict[str, Any]]:
        broken = []
        for line in batch.lines:
            try:
                yield to_row(line, self._edge, self._unit_key)
            except BrokenLineError as error:
                broken.append(str(error))
        if broken:
            log.warning("broken log lines left out", count=len(broken), first=broken[0], before=str(batch.end))
