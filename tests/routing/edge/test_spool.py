"""The access log on disk."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.edge.state import spool as module
from routing.edge.state.spool import BATCH_LINES, READ_BYTES, START, Position, Spool

pytestmark = pytest.mark.slow


@pytest.fixture
def link(tmp_path: Path) -> Path:
    path = tmp_path / "spool" / "open.jsonl"
    Spool(path).prepare()
    return path


def append(link: Path, content: bytes) -> None:
    """What Envoy does: it writes where the link points, and creates what is not there."""
    with link.open("ab") as file:
        file.write(content)


def read_all(spool: Spool, position: Position = START) -> Iterator[bytes]:
    while (batch := spool.read(position)) is not None:
        yield from batch.lines
        assert batch.end > position
        position = batch.end


def test_only_its_owner_may_look_into_the_spool(link: Path) -> None:
    assert stat.S_IMODE(link.parent.stat().st_mode) == 0o700


def test_preparing_again_goes_on_with_the_same_segment(link: Path) -> None:
    before = link.readlink()

    Spool(link).prepare()

    assert link.readlink() == before


def test_nothing_is_read_from_an_empty_spool(link: Path) -> None:
    assert Spool(link).read(START) is None
    append(link, b"")
    assert Spool(link).read(START) is None


def test_a_line_is_read_once_it_is_complete(link: Path) -> None:
    append(link, b"one\ntw")
    assert list(read_all(Spool(link))) == [b"one"]

    append(link, b"o\n")
    assert list(read_all(Spool(link))) == [b"one", b"two"]


def test_a_batch_has_a_largest_size(link: Path) -> None:
    append(link, b"line\n" * (BATCH_LINES + 5))

    first = Spool(link).read(START)

    assert first is not None
    assert len(first.lines) == BATCH_LINES
    assert len(list(read_all(Spool(link), first.end))) == 5


def test_a_new_segment_is_later_and_read_after_the_old(link: Path) -> None:
    spool = Spool(link)
    append(link, b"one\n")
    spool.begin_segment()
    assert spool.waits_for_envoy()
    append(link, b"two\n")
    assert not spool.waits_for_envoy()
    spool.begin_segment()
    append(link, b"three\n")

    assert list(read_all(spool)) == [b"one", b"two", b"three"]


def test_a_new_segment_is_later_than_all_that_was_shipped(link: Path) -> None:
    far = Position(99_999_999_999, 5)

    Spool(link).begin_segment(after=far)
    append(link, b"line\n")

    assert list(read_all(Spool(link), far)) == [b"line"]


def test_what_was_never_finished_ends_with_its_segment(link: Path) -> None:
    spool = Spool(link)
    append(link, b"one\nhal")
    spool.begin_segment()
    append(link, b"two\n")

    assert list(read_all(spool)) == [b"one", b"hal", b"two"]


def test_a_line_without_end_stops_nothing(link: Path) -> None:
    append(link, b"x" * (READ_BYTES + 10) + b"\ntwo\n")

    assert [line[:3] for line in read_all(Spool(link))] == [b"xxx", b"xxx", b"two"]


def test_segments_are_deleted_when_all_of_them_is_collected(link: Path) -> None:
    spool = Spool(link)
    append(link, b"one\ntwo\n")
    first = spool.newest()
    spool.begin_segment()
    append(link, b"three\n")

    spool.delete_until(Position(first.segment, first.end - 1))
    assert list(read_all(spool)) == [b"one", b"two", b"three"]
    spool.delete_until(first)
    assert list(read_all(spool)) == [b"three"]
    spool.delete_until(spool.newest())
    assert list(read_all(spool)) == [b"three"]


def test_how_much_lies_behind_a_position(link: Path) -> None:
    spool = Spool(link)
    append(link, b"12345678\n")
    middle = Position(spool.newest().segment, 4)
    spool.begin_segment()
    append(link, b"123\n")

    assert [spool.bytes_after(place) for place in (START, middle, spool.newest())] == [13, 9, 0]


@given(
    st.lists(st.lists(st.binary(max_size=6).map(lambda line: line.replace(b"\n", b"")), max_size=8), max_size=5),
    st.integers(1, 20),
)
def test_every_line_is_read_once_wherever_reading_stops(
    tmp_path_factory: pytest.TempPathFactory, segments: list[list[bytes]], span: int
) -> None:
    link = tmp_path_factory.mktemp("spool") / "spool" / "open.jsonl"
    spool = Spool(link, span_bytes=span)
    spool.prepare()
    for lines in segments:
        append(link, b"".join(line + b"\n" for line in lines))
        spool.begin_segment()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BATCH_LINES", 2)
        batches, position = [], START
        while (batch := Spool(link, span_bytes=span).read(position)) is not None:
            batches.append(batch)
            position = batch.end

    assert [line for batch in batches for line in batch.lines] == [line for lines in segments for line in lines]
    assert all(batch.end.end < span for batch in batches)
    assert [batch.end for batch in batches] == sorted({batch.end for batch in batches})
