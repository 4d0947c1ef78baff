"""The chain of decisions shows every change that was made to it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from experiments.lifecycle.ledger import entry_hash, first_broken_link

Entry = tuple[dict[str, Any], str, str]
contents = st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5)), min_size=1, max_size=6)


def chain(items: list[dict[str, Any]]) -> list[Entry]:
    entries: list[Entry] = []
    previous = ""
    for item in items:
        digest = entry_hash(item, previous)
        entries.append((item, previous, digest))
        previous = digest
    return entries


@given(contents)
def test_an_untouched_chain_is_whole(items: list[dict[str, Any]]) -> None:
    assert first_broken_link(chain(items)) is None


@given(contents, st.data())
def test_a_changed_entry_is_found(items: list[dict[str, Any]], data: st.DataObject) -> None:
    entries = chain(items)
    index = data.draw(st.integers(0, len(items) - 1))
    content, previous, digest = entries[index]
    entries[index] = ({**content, "forged": True}, previous, digest)
    assert first_broken_link(entries) == index


@given(contents.filter(lambda items: len(items) > 1), st.data())
def test_a_removed_entry_is_found(items: list[dict[str, Any]], data: st.DataObject) -> None:
    entries = chain(items)
    index = data.draw(st.integers(0, len(items) - 2))
    del entries[index]
    assert first_broken_link(entries) == index
