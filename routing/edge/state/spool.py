"""The access log on disk, in segments: Envoy appends to the newest, all others are complete.

A segment is named by the second at which it was begun. Envoy writes through a symbolic link; pointing that at a new
name and asking Envoy to reopen its log begins a segment. Envoy creates the file, so that once it exists the segment
before it is complete. While the disk is full, segments lie in memory, behind links with their names.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from routing.edge.state.memory import link

SUFFIX = ".jsonl"
BATCH_LINES = 1_000
READ_BYTES = 1 << 20

# A place within a segment must fit in 32 bits. What lies further back counts as the next number's.
SPAN_BYTES = 1 << 31


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the spool: all up to byte `end` of a segment, and all of the segments before it."""

    segment: int
    end: int

    def __str__(self) -> str:
        return f"{self.segment}-{self.end}"


START = Position(0, 0)


@dataclass(frozen=True, slots=True)
class SpoolBatch:
    """Lines that follow each other, the place behind them, and whether more are known to lie there."""

    lines: list[bytes]
    end: Position
    more: bool


class Spool:
    """The segments of one edge. `link` is the path that Envoy writes to."""

    def __init__(self, link: Path, span_bytes: int = SPAN_BYTES) -> None:
        self._link = link
        self._folder = link.parent
        self._span = span_bytes
        self._mark = self._folder / "shipped"

    def prepare(self) -> None:
        """Make the folder, for its owner alone, and name the first segment."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        # A segment in memory may have gone with the machine's last run.
        if not self._link.is_symlink() or not self._link.resolve().parent.is_dir():
            self.begin_segment()

    def was_shipped(self) -> bool:
        """Whether anything of this spool was ever sent on."""
        return self._mark.exists()

    def note_shipping(self) -> None:
        """From now on something of this spool may have been sent on."""
        self._mark.touch()

    def begin_segment(self, after: Position = START, memory: Path | None = None) -> None:
        """Name a new segment, later than all there are and than `after`; Envoy opens it when told to.

        It lies in a folder in `memory`, if one is given. Raises `OSError`.
        """
        named = max(self._named(), default=0)
        number = max(int(time.time()), after.segment + 1, self.newest().segment + 1, named + 1)
        if memory is not None:
            link(self._path(number), memory / self._path(number).name)
        link(self._link, Path(self._path(number).name))

    def in_memory(self) -> bool:
        """Whether Envoy writes, or is to write, to a segment in memory."""
        return (self._folder / self._link.readlink()).is_symlink()

    def bytes_in_memory(self) -> int:
        """The size of all segments in memory."""
        return sum(self._size(number) for number in self._numbers() if self._path(number).is_symlink())

    def waits_for_envoy(self) -> bool:
        """Whether a segment is named that Envoy has not opened yet."""
        return not self._link.exists()

    def newest(self) -> Position:
        """The end of all that is written."""
        numbers = self._numbers()
        return self._position(numbers[-1], self._size(numbers[-1])) if numbers else START

    def newest_bytes(self) -> int:
        """The size of the segment that is being written."""
        numbers = self._numbers()
        return self._size(numbers[-1]) if numbers else 0

    def newest_age(self) -> float:
        """Seconds since the segment that is being written was begun."""
        numbers = self._numbers()
        return time.time() - numbers[-1] if numbers else 0

    def read(self, after: Position) -> SpoolBatch | None:
        """The next lines behind a position, at most `BATCH_LINES`; None when there are no complete ones."""
        numbers = self._numbers()
        for number in numbers:
            start = self._done(number, after)
            if start < self._size(number):
                return self._read(number, start, complete=number != numbers[-1])
        return None

    def delete_until(self, collected: Position) -> None:
        """Delete complete segments of which nothing lies behind a position, and what is left of those that are gone."""
        there, newest = self._numbers(), int(self._link.readlink().stem)
        for number in self._named():
            if number not in there and number < newest:
                self._path(number).unlink()
        for number in self._numbers()[:-1]:
            if self._done(number, collected) == self._size(number):
                self._path(number).resolve().unlink()
                self._path(number).unlink(missing_ok=True)

    def bytes_after(self, position: Position) -> int:
        """How many bytes lie behind a position."""
        return sum(self._size(number) - self._done(number, position) for number in self._numbers())

    def _read(self, number: int, start: int, *, complete: bool) -> SpoolBatch | None:
        with self._path(number).open("rb") as file:
            file.seek(start)
            content = file.read(READ_BYTES)
        *lines, rest = content.split(b"\n")
        end = start + sum(len(line) + 1 for line in lines[:BATCH_LINES])
        # What does not end within a whole read, or in a complete segment, is a line that was never finished.
        if not lines and (complete or len(content) == READ_BYTES):
            lines, end = [rest], start + len(rest)
        more = complete or len(content) == READ_BYTES or len(lines) > BATCH_LINES
        return SpoolBatch(lines[:BATCH_LINES], self._position(number, end), more) if lines else None

    def _done(self, number: int, position: Position) -> int:
        """How many bytes of a segment lie before a position."""
        size = self._size(number)
        if position >= self._position(number, size):
            return size
        return max((position.segment - number) * self._span + position.end, 0)

    def _position(self, number: int, offset: int) -> Position:
        return Position(number + offset // self._span, offset % self._span)

    def _numbers(self) -> list[int]:
        """The segments that are there: one in memory once Envoy has opened it, until the machine stops."""
        return [number for number in self._named() if self._path(number).exists()]

    def _named(self) -> list[int]:
        names = (path.name.removesuffix(SUFFIX) for path in self._folder.glob(f"*{SUFFIX}"))
        return sorted(int(name) for name in names if name.isdecimal())

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}{SUFFIX}"

    def _size(self, number: int) -> int:
        return self._path(number).stat().st_size
