"""Keeps the spool tidy: begins new segments in time, and deletes those that are in the lake."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from routing.edge.envoy.calls import EnvoyAwayError
from routing.edge.envoy.envoy_admin import EnvoyAdmin
from routing.edge.shipping.batch_stream import RequestStream
from routing.edge.state.spool import START, Position, Spool
from routing.edge.state.status import EdgeStatus

TIDY_SECONDS = 1.0
SEGMENT_BYTES = 64 << 20
SEGMENT_SECONDS = 60.0

# How much may lie in memory while the disk is full.
MEMORY_BYTES = 64 << 20


class Keeper:
    """Looks after one edge's spool."""

    def __init__(
        self,
        stream: RequestStream,
        spool: Spool,
        envoy: EnvoyAdmin,
        status: EdgeStatus,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        segment_seconds: float = SEGMENT_SECONDS,
        memory: Callable[[], Path] | None = None,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._stream = stream
        self._spool = spool
        self._envoy = envoy
        self._status = status
        self._segment_bytes = segment_bytes
        self._segment_seconds = segment_seconds
        self._memory = memory
        self._memory_bytes = memory_bytes
        self._next = 0.0

    def tidy_when_due(self) -> None:
        """Tidy, unless that was done less than a second ago.

        Raises:
            RedisError: it is not known what is in the lake; nothing is deleted.

        """
        now = time.monotonic()
        if now >= self._next:
            self._next = now + TIDY_SECONDS
            self.tidy()

    def tidy(self) -> None:
        """Begin a segment if it is time, delete what is collected, tell how much is left.

        Raises:
            RedisError: it is not known what is in the lake; nothing is deleted.
            OSError: there is no room for a segment, on the disk or in memory.

        """
        if self._is_full() or self._is_in_the_wrong_place():
            self._begin_segment(START)
        self._have_envoy_follow()
        shipped = self._stream.last() or START
        if shipped.segment > self._spool.newest().segment:
            self._begin_segment(shipped)
        collected = self._stream.collected() or START
        self._spool.delete_until(collected)
        self._status.spooled_bytes = self._spool.bytes_after(collected)

    def _begin_segment(self, after: Position) -> None:
        """Begin one that sorts behind all others, also when this machine's clock went back."""
        if not self._spool.waits_for_envoy():
            self._spool.begin_segment(after, self._memory() if self._memory and self._needs_memory() else None)

    def _have_envoy_follow(self) -> None:
        """Where Envoy is away, it opens the new segment at its next start."""
        if self._spool.waits_for_envoy():
            with suppress(EnvoyAwayError):
                self._envoy.reopen_log()

    def _is_in_the_wrong_place(self) -> bool:
        return self._spool.in_memory() != self._needs_memory()

    def _needs_memory(self) -> bool:
        """Whether the disk takes nothing, and there is memory that may."""
        full = bool(self._status.disk_error) and self._memory is not None
        return full and self._spool.bytes_in_memory() < self._memory_bytes

    def _is_full(self) -> bool:
        size = self._spool.newest_bytes()
        return size >= self._segment_bytes or (size > 0 and self._spool.newest_age() >= self._segment_seconds)
