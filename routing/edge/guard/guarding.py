"""Reads the access log as it is written, and ejects candidates that fail in a burst."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import structlog

from routing.access_log import FAILED, UNDOCUMENTED, BrokenLineError, Result, ending_of, read_line
from routing.edge.envoy.calls import EnvoyAwayError
from routing.edge.state.kept_cuts import Cuts
from routing.edge.table.applier import Applier, NotYetError, TableRefusedError
from routing.guard import Answered, Cut, Watch

log = structlog.get_logger()

LOOK_SECONDS = 0.02
MOST_BYTES = 4 << 20


class Tail:
    """What was appended to a file since the last look, whole lines only; follows the link to a new file."""

    def __init__(self, link: Path) -> None:
        self._link = link
        self._path = link.resolve()
        self._read = self._size()

    def lines(self) -> list[bytes]:
        """The new lines. After a pause only the last ones are read: the guard is about now."""
        found = self._new_lines()
        current = self._link.resolve()
        if current != self._path and current.exists():
            self._path, self._read = current, 0
            found += self._new_lines()
        return found

    def _new_lines(self) -> list[bytes]:
        size = self._size()
        if size <= self._read:
            return []
        with self._path.open("rb") as file:
            file.seek(max(self._read, size - MOST_BYTES))
            content = file.read(MOST_BYTES)
        whole = content.rfind(b"\n") + 1
        self._read = size - (len(content) - whole)
        return content[:whole].splitlines()

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0


class Guarding:
    """The loop of the local guard."""

    def __init__(self, tail: Tail, applier: Applier, cuts: Cuts) -> None:
        self._tail = tail
        self._applier = applier
        self._cuts = cuts
        self._watch = Watch()

    def run(self, stop: Event) -> None:
        """Look until stopped."""
        while not stop.wait(LOOK_SECONDS):
            self.step()

    def step(self) -> None:
        """Look at what was logged since the last step."""
        lines = self._tail.lines()
        if not any(endpoint.experiments for endpoint in self._applier.applied.endpoints):
            return
        for outcome in _outcomes(lines):
            cut = self._watch.see(outcome, self._applier.applied)
            if cut is not None:
                self._take_out(cut)

    def _take_out(self, cut: Cut) -> None:
        """Whatever comes in between, the cut is remembered first: the follower brings Envoy there too."""
        self._cuts.add(cut)
        self._watch.forget(cut)
        log.error("candidate ejected", **{name: getattr(cut, name) for name in cut.__slots__})
        try:
            self._applier.apply_cuts()
        except (EnvoyAwayError, NotYetError, TableRefusedError, OSError) as error:
            log.warning("cut waits for envoy", reason=str(error))


def _outcomes(lines: list[bytes]) -> Iterator[Answered]:
    for line in lines:
        try:
            log_line = read_line(line)
        except BrokenLineError:
            continue
        facts = log_line.facts
        if facts.experiment and facts.variant and not facts.shadow and not facts.forced:
            first_byte = None if log_line.ttft_us is None else log_line.ttft_us / 1000
            ending = ending_of(log_line)
            # Where no protocol says what an answer is, only some failures can be seen: they are few of all requests.
            if ending.result is not Result.UNKNOWN or ending == UNDOCUMENTED:
                failed = ending.result in FAILED
                yield Answered(log_line.ended_at(), facts.experiment, facts.variant, failed, first_byte, log_line.time)
