"""Lists come in pieces, whose links lead through all of them once, whatever is added and removed meanwhile."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from controlplane.audit.actors import SLUICE
from routing.models import AccessKey, Layer
from routing.resources.register import register
from tests.factories.drafts import draft, endpoint
from tests.visitors.callers import Caller

pytestmark = pytest.mark.django_db


def layer(key: str) -> None:
    register(Layer(key=key, name="Layer"), actor=SLUICE)


def access_keys(count: int, client: str = "web") -> None:
    AccessKey.objects.bulk_create(
        AccessKey(client=client, prefix=f"slk_{client}_{number}", digest=f"{client}-{number}")
        for number in range(count)
    )


def walk(caller: Caller, path: str) -> Iterator[list[Any]]:
    """The pieces of a list, by its links."""
    following = f"/api/v1/{path}"
    while following:
        answer = caller.client.get(following)
        assert answer.status_code == 200
        content = answer.json()
        assert answer.get("Link", "") == (f'<{content["next"]}>; rel="next"' if content["next"] else "")
        yield content["results"]
        following = content["next"]


def keys(pieces: Iterator[list[Any]], name: str = "key") -> list[Any]:
    return [row[name] for piece in pieces for row in piece]


def test_links_lead_through_all_of_a_list(viewer: Caller) -> None:
    for number in range(7):
        layer(f"layer-{number}")
    pieces = list(walk(viewer, "layers?limit=3"))
    assert [len(piece) for piece in pieces] == [3, 3, 1]
    assert keys(iter(pieces)) == [f"layer-{number}" for number in range(7)]
    assert viewer.get("layers?limit=7").json()["next"] is None
    assert viewer.get("layers?limit=2").json()["count"] == 7


def test_what_is_added_and_removed_meanwhile_repeats_and_skips_nothing(viewer: Caller) -> None:
    for number in range(6):
        layer(f"layer-{number}")
    pieces = walk(viewer, "layers?limit=2")
    seen = keys(iter([next(pieces)]))
    layer("another")
    Layer.objects.filter(key__in=["layer-0", "layer-1"]).delete()
    assert seen + keys(pieces) == [f"layer-{number}" for number in range(6)]


def test_rows_that_are_ordered_alike_come_once(operator: Caller) -> None:
    access_keys(5)
    access_keys(4, "app")
    AccessKey.objects.update(created_at="2026-01-01T00:00:00.123456Z")
    pieces = walk(operator, "access-keys?limit=2")
    seen = keys(iter([next(pieces)]), "id")
    access_keys(1, "another")
    assert len(seen + keys(pieces, "id")) == 9
    assert [len(piece) for piece in walk(operator, "access-keys?limit=4")] == [4, 4, 2]


def test_moments_are_told_apart_to_the_last_digit(viewer: Caller) -> None:
    for key in ("one", "two", "three"):
        draft(key)
    assert keys(walk(viewer, "experiments?limit=1")) == ["three", "two", "one"]
    assert keys(walk(viewer, "experiments?limit=1&state=running")) == []
    assert keys(walk(viewer, "experiments?limit=1&state=draft&endpoint=chat")) == ["three", "two", "one"]


def test_lists_by_what_is_far_away(viewer: Caller) -> None:
    for key in ("one", "two"):
        draft(key)
    assert keys(walk(viewer, "metrics/error-rate/uses?limit=1"), "experiment") == ["two", "one"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=many", "limit=-1", "limit=%D9%A3", "limit=" + "9" * 400]
)
def test_a_limit_is_a_number(viewer: Caller, query: str) -> None:
    refused = viewer.get(f"layers?{query}")
    assert (refused.status_code, refused.json()["code"]) == (400, "limit-unusable")


def test_no_link_leads_where_a_request_says_that_it_is(viewer: Caller) -> None:
    layer("layer-0")
    layer("layer-1")
    headers = {"host": "elsewhere.example"}
    for path in ("", "layers?limit=1", "layers?page=1&page_size=1", "layers?page=2&page_size=1"):
        answer = viewer.client.get(f"/api/v1/{path}", headers=headers)
        assert answer.status_code == 200
        assert "elsewhere" not in f"{answer.content!r} {answer.headers}"
    assert viewer.get("").json()["layers"] == "/api/v1/layers"


def test_a_cursor_is_of_its_list(viewer: Caller) -> None:
    endpoint("shop")
    endpoint("chat")
    cursor = re.findall("cursor=([^&]+)", viewer.get("endpoints?limit=1").json()["next"])[0]
    assert viewer.get(f"endpoints?cursor={cursor}").status_code == 200
    for query in (f"layers?cursor={cursor}", "endpoints?cursor=nonsense", "endpoints?cursor="):
        refused = viewer.get(query)
        assert (refused.status_code, refused.json()["code"]) == (400, "cursor-unusable")


def test_numbered_pages_are_still_there(viewer: Caller) -> None:
    for number in range(3):
        layer(f"layer-{number}")
    second = viewer.get("layers?page=2&page_size=2").json()
    assert ([row["key"] for row in second["results"]], second["next"]) == (["layer-2"], None)
    assert "page=1" not in second["previous"]
    assert "page=2" in viewer.get("layers?page=1&page_size=2")["Link"]
    assert keys(walk(viewer, "layers?page_size=2")) == ["layer-0", "layer-1", "layer-2"]


def test_rows_have_the_members_that_were_asked_for(viewer: Caller) -> None:
    draft("one")
    draft("two")
    for query in ("limit=1&fields=key,state", "page=1&page_size=1&fields=state,%20key"):
        answer = viewer.get(f"experiments?{query}").json()
        assert answer["results"] == [{"key": "two", "state": "draft"}]
        assert "fields=" in answer["next"]
    assert keys(walk(viewer, "experiments?limit=1&fields=key")) == ["two", "one"]


@pytest.mark.parametrize("fields", ["", "key,", "keys", "key,endpoint.key"])
def test_members_that_no_row_has_are_named(viewer: Caller, fields: str) -> None:
    layer("one")
    answer = viewer.get(f"layers?fields={fields}")
    assert (answer.status_code, answer.json()["code"]) == (400, "fields-unusable")
    assert "key, name" in answer.json()["next_step"]


def test_lists_are_searched_by_what_people_call_things(viewer: Caller) -> None:
    layer("checkout")
    register(Layer(key="other", name="The Checkout of 2026"), actor=SLUICE)
    layer("search")
    draft("checkout-canary")
    found = keys(walk(viewer, "layers?limit=1&search=checkout"))
    assert found == ["checkout", "other"]
    assert keys(walk(viewer, "layers?search=2026+checkout")) == ["other"]
    assert keys(walk(viewer, "layers?search=100%25")) == []
    assert keys(walk(viewer, "experiments?search=CANARY")) == ["checkout-canary"]
    assert keys(walk(viewer, "experiments?search=canary&state=running")) == []
