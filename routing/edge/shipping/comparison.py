"""Finds rows that are missing: requests that Envoy has logged, by its own counters, and that never became rows.

Envoy drops what it cannot write, and says so nowhere but in its statistics. Each look takes its counters and, once it
has them, the moment; it waits until all that was written by then is shipped, and compares them with the rows of what
ended until that moment: all that was counted had ended by then. What is missing then has a settling time to come, in
which the look stays open; what has not come by its end, in two looks after each other, is lost. So a request that is
under way, one that ended while the counters were read, or a row that is written or shipped late, is never lost,
however many of them there are all the time.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from routing.access_log.counts import Counted, Origin
from routing.access_log.losses import Losses, read_losses
from routing.edge.envoy.calls import EnvoyAwayError
from routing.edge.envoy.envoy_admin import EnvoyAdmin
from routing.edge.shipping.batch_stream import RequestStream
from routing.edge.shipping.shipper import Shipper
from routing.edge.state.spool import Position, Spool
from routing.edge.state.status import EdgeStatus

log = structlog.get_logger()

# Envoy writes what it logged within 20 ms; a busy machine may take longer.
WRITTEN_SECONDS = 1.0

# How late a row may be: where Envoy says that it could not write some, most of what is missing is what it dropped.
SETTLING_SECONDS = 10.0
SETTLING_SECONDS_AFTER_FAILURES = 3.0


@dataclass(slots=True)
class CountLook:
    """What Envoy had counted at a moment, and the place in the spool behind all of it, once that is known."""

    moment: float
    counted: Counted
    behind: Position | None = None


class CountComparison:
    """Compares for one edge what was logged with what was shipped. In one thread with the shipper."""

    def __init__(
        self, envoy: EnvoyAdmin, spool: Spool, shipper: Shipper, stream: RequestStream, status: EdgeStatus
    ) -> None:
        self._envoy = envoy
        self._spool = spool
        self._shipper = shipper
        self._stream = stream
        self._status = status
        self._losses: Losses | None = None
        self._look: CountLook | None = None
        self._missing: dict[Origin, int] = {}
        self._failed_writes = 0
        self._news = False

    def step(self) -> None:
        """Go on with a look as far as it can be.

        Raises:
            RedisError: what is known cannot be read or kept.

        """
        losses = self._losses = self._losses or self._remembered()
        self._keep(losses)
        now, look = time.time(), self._look
        if look is None or self._shipper.tally.cut != look.moment:
            # Who begins to count anew, after a loss of Redis, no longer tells apart what ended before the look.
            self._look = self._begin(losses)
        elif look.behind is None:
            look.behind = self._spool.newest() if now >= look.moment + WRITTEN_SECONDS else None
        elif self._is_shipped(look.behind):
            if self._may_come_yet(look, now):
                look.behind = self._spool.newest()
            else:
                self._compare(losses, look)
                self._look = self._begin(losses)

    def _begin(self, losses: Losses) -> CountLook | None:
        try:
            counted = self._envoy.counted()
        except EnvoyAwayError:
            return None
        # Not before: what is counted while the answer is under way has ended by now.
        now = time.time()
        if counted.run:
            failing = self._is_failing(counted)
            if losses.note_run(counted.run, now, failing=failing):
                self._tell(losses)
        self._shipper.tally.cut_at(now)
        return CountLook(now, counted)

    def _is_failing(self, counted: Counted) -> bool:
        """Whether Envoy could not write since the look before, or could not at all and the disk is full still."""
        grew = counted.failed_writes > self._failed_writes
        self._failed_writes = counted.failed_writes
        return grew or bool(counted.failed_writes and self._status.disk_error)

    def _is_shipped(self, behind: Position) -> bool:
        """Whether all up to a place is; a last line that was never finished never will be."""
        shipped = self._shipper.shipped
        return shipped is not None and (shipped >= behind or self._spool.read(shipped) is None)

    def _may_come_yet(self, look: CountLook, now: float) -> bool:
        """Whether rows are missing that have time to come."""
        settling = SETTLING_SECONDS_AFTER_FAILURES if look.counted.failed_writes else SETTLING_SECONDS
        return now < look.moment + settling and any(count > 0 for count in self._missing_at(look).values())

    def _missing_at(self, look: CountLook) -> dict[Origin, int]:
        """By origin how many more Envoy had counted than there are rows by now."""
        tally, counted = self._shipper.tally, look.counted
        if not tally.whole:
            tally.trust(counted)
        return {origin: count - tally.before[origin] for origin, count in counted.rows.items()}

    def _compare(self, losses: Losses, look: CountLook) -> None:
        """A loss is one once two looks agree: a clock that was set makes a single one wrong."""
        missing = self._missing_at(look)
        sure = {origin: min(count, self._missing.get(origin, 0)) for origin, count in missing.items()}
        self._missing = missing
        if losses.note({origin: count for origin, count in sure.items() if count > 0}, look.moment):
            log.error("rows are lost", rows={f"{origin}": count for origin, count in sure.items() if count > 0})
            self._tell(losses)
        self._status.compared_until = datetime.fromtimestamp(look.moment, UTC).isoformat()

    def _remembered(self) -> Losses:
        text = self._stream.losses()
        try:
            losses = read_losses(text) if text else Losses()
        except ValueError as error:
            log.warning("losses left aside", reason=str(error))
            losses = Losses()
        self._status.losses = losses.told()
        return losses

    def _keep(self, losses: Losses) -> None:
        if self._news:
            self._stream.keep_losses(losses.to_json())
            self._news = False

    def _tell(self, losses: Losses) -> None:
        self._status.losses = losses.told()
        self._news = True
