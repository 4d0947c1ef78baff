"""A routing table as text, and back."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.table import (
    Arm,
    Backend,
    Condition,
    Endpoint,
    Guard,
    Limits,
    RunningExperiment,
    Table,
    TableUnreadableError,
    digest,
    from_json,
    to_json,
)
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table

TABLE = make_table(make_endpoint("chat", make_experiment("new-model", Arm("control", "stable", 0, 10))), version=7)

finite = st.floats(allow_nan=False, allow_infinity=False)
backends = st.builds(Backend, prompt_price=finite, completion_price=finite, connect_seconds=finite)
guards = st.none() | st.builds(Guard, failing_share=finite, window_seconds=finite, first_byte_ms=finite)
experiments = st.builds(RunningExperiment, guard=guards, audience=st.just(()) | st.tuples(st.from_type(Condition)))
limits = st.builds(Limits, first_byte_seconds=finite, idle_seconds=finite)
endpoints = st.builds(Endpoint, limits=limits, experiments=st.lists(experiments, max_size=2).map(tuple))
tables = st.builds(
    Table, endpoints=st.lists(endpoints, max_size=2).map(tuple), backends=st.lists(backends, max_size=2).map(tuple)
)


@given(tables)
def test_reading_what_was_written_gives_the_same_table(table: Table) -> None:
    text = to_json(table)

    assert from_json(text) == table
    assert to_json(from_json(text)) == text


def test_the_text_is_canonical() -> None:
    text = to_json(TABLE)

    content = json.loads(text)
    assert text == json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert content["version"] == 7
    assert content["endpoints"][0]["unit"] == {"anonymous": False, "name": "x-user-id", "source": "header"}


def test_a_whole_number_as_price_gives_the_text_of_the_same_fraction() -> None:
    whole = replace(make_backend("stable"), prompt_price=1, completion_price=2)

    assert to_json(replace(TABLE, backends=(whole,))) == to_json(replace(TABLE, backends=(make_backend("stable"),)))


def test_the_digest_ignores_the_version_alone() -> None:
    assert digest(replace(TABLE, version=8)) == digest(TABLE)
    assert digest(replace(TABLE, backends=())) != digest(TABLE)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the text: Invalid JSON"),
        ("[]", "the text: Input should be"),
        ('{"version": 1, "endpoints": [], "backends": [{}]}', "backends.0.key: Field required"),
        ('{"version": "one", "endpoints": [], "backends": []}', "version: Input should be a valid integer"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(TableUnreadableError) as refusal:
        from_json(text)

    problem = refusal.value.problem
    assert problem.code == "table-unreadable"
    assert reason in problem.detail
