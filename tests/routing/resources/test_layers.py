"""Endpoints of one layer share their users' buckets, and no user is in two of the layer's experiments."""

from itertools import pairwise

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.problems.errors import Conflict
from experiments.actions.halt import halt_by_hand
from experiments.actions.start import start
from routing.allocation.assign import assign
from routing.models import Endpoint, Layer, Split
from routing.publishing.newest_table import desired_table
from routing.resources.edit import edit
from routing.resources.register import register
from routing.resources.remove import remove
from tests.factories.drafts import draft, endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Layer:
    """A layer with the endpoints `chat` and `search`, and a tenth of the users held out."""
    layer = Layer(key="shop", name="Shop", holdout=1000)
    register(layer, actor=SLUICE)
    endpoint("chat", layer=layer)
    endpoint("search", layer=layer)
    return layer


def test_a_user_has_the_same_bucket_on_all_endpoints_of_a_layer(shop: Layer) -> None:
    endpoint("alone")
    tables = {found.key: found for found in desired_table(1).endpoints}
    users = [f"user-{number}" for number in range(200)]
    buckets = {key: [assign(found, user).bucket for user in users] for key, found in tables.items()}
    assert buckets["chat"] == buckets["search"] != buckets["alone"]
    assert {found.key: found.holdout for found in tables.values()} == {"alone": 0, "chat": 1000, "search": 1000}


def test_experiments_of_one_layer_share_no_user_across_its_endpoints(shop: Layer) -> None:
    for key, where in (("one", "chat"), ("two", "search"), ("three", "chat")):
        start(draft(key, endpoint=where, traffic=30), actor=SLUICE)
    spans = sorted(Split.objects.values_list("start", "end"))
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    assert spans[-1][1] == 9000


def test_an_experiment_takes_nobody_who_is_held_out(shop: Layer) -> None:
    start(draft("most", traffic=80), actor=SLUICE)
    with pytest.raises(Conflict) as caught:
        start(draft("more", endpoint="search", traffic=15), actor=SLUICE)
    assert caught.value.detail == "Layer shop has no free range of 15 % of its users, and 10 % are held out."
    start(draft("rest", endpoint="search", traffic=10), actor=SLUICE)


def test_a_range_that_was_given_back_is_free_for_all_endpoints_of_the_layer(shop: Layer) -> None:
    first = draft("first", traffic=50)
    start(first, actor=SLUICE)
    start(draft("second", endpoint="search", traffic=40), actor=SLUICE)
    halt_by_hand(first, actor=SLUICE, reason="looks wrong")
    start(draft("third", endpoint="search", traffic=45), actor=SLUICE)
    assert Split.objects.get(experiment="third").start == 0


@pytest.mark.parametrize("change", ["layer", "salt", "holdout"])
def test_nobody_is_moved_while_an_experiment_runs(shop: Layer, change: str) -> None:
    experiment = draft("most", traffic=85)
    start(experiment, actor=SLUICE)
    moved: Endpoint | Layer = Endpoint.objects.get(key="chat") if change == "layer" else shop
    value = {"layer": endpoint("alone").layer, "salt": "another", "holdout": 1501}[change]
    with pytest.raises(Conflict) as caught:
        edit(moved, {change: value}, actor=SLUICE)
    assert "most" in caught.value.detail
    halt_by_hand(experiment, actor=SLUICE, reason="looks wrong")
    edit(moved, {change: value}, actor=SLUICE)


@pytest.mark.database
def test_a_holdout_may_grow_where_nobody_is(shop: Layer) -> None:
    start(draft("most", traffic=85), actor=SLUICE)
    edit(shop, {"holdout": 1500}, actor=SLUICE)
    assert {found.holdout for found in desired_table(1).endpoints} == {1500}


def test_without_a_layer_an_endpoint_gets_its_own() -> None:
    first, second = endpoint("chat"), endpoint("search")
    assert (first.layer.key, second.layer.key) == ("chat", "search")
    assert first.layer.salt != second.layer.salt


def test_a_layer_that_others_share_is_nobodys_own(shop: Layer) -> None:
    with pytest.raises(Conflict) as caught:
        endpoint("shop")
    assert caught.value.code == "layer-shared"
    assert not Endpoint.objects.filter(key="shop").exists()


@pytest.mark.database
def test_a_layer_in_use_is_kept(shop: Layer) -> None:
    with pytest.raises(Conflict):
        remove(shop, actor=SLUICE)
    empty = Layer(key="empty", name="Empty")
    register(empty, actor=SLUICE)
    remove(empty, actor=SLUICE)
    assert not Layer.objects.filter(key="empty").exists()
