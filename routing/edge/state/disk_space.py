"""Looks after the room on an edge's disk: sets some aside, and says when none is left."""

from threading import Event

import structlog

from controlplane.storage.reserve import Reserve
from routing.edge.state.status import EdgeStatus

log = structlog.get_logger()

LOOK_SECONDS = 1.0
FULL = "The disk of this edge is full: it serves and follows the table, and keeps what it logs in memory alone."


class Room:
    """The loop of one edge's reserve."""

    def __init__(self, reserve: Reserve, status: EdgeStatus) -> None:
        self._reserve = reserve
        self._status = status

    def run(self, stop: Event) -> None:
        """Look until stopped."""
        while True:
            self.step()
            if stop.wait(LOOK_SECONDS):
                return

    def step(self) -> None:
        """Look once."""
        self._reserve.keep()
        full = FULL if self._reserve.disk_is_full() else ""
        if full and not self._status.disk_error:
            log.error("the disk is full")
        self._status.disk_error = full
