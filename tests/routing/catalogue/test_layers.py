"""Layers on their pages."""

import re

import pytest
from pytest_django import DjangoAssertNumQueries

from controlplane.audit.actors import SLUICE
from controlplane.models import Role
from experiments.actions.start import start
from routing.models import Endpoint, Layer
from tests.factories.drafts import backend, draft, endpoint
from tests.visitors.pages import send
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db


def test_a_layer_is_registered_and_an_endpoint_joins_it() -> None:
    browser = visitor(Role.APPROVER)
    typed = {"key": "shop", "name": "Shop", "holdout": "2.5", "salt": ""}
    assert "Layer shop is registered" in browser.post("/layers/new", typed, follow=True).content.decode()
    layer = Layer.objects.get()
    assert (layer.holdout, len(layer.salt)) == (250, 16)
    chat = {"key": "chat", "name": "Chat", "path_prefix": "/chat", "backend": backend("stable").pk}
    browser.post("/endpoints/new", {**chat, "unit_source": "header", "unit_name": "x-user-id", "layer": layer.pk})
    assert Endpoint.objects.get().layer == layer


def test_the_drawing_shows_who_has_which_buckets() -> None:
    endpoint()
    Layer.objects.update(holdout=1000)
    start(draft(traffic=40), actor=SLUICE)
    page = text(visitor(Role.VIEWER), "/layers")
    drawn = re.findall(r'<rect class="([a-z-]+)" x="(\d+)" y="0" width="(\d+)"', page)
    assert drawn == [
        ("held-out", "9000", "1000"),
        ("reserved", "0", "4000"),
        ("arm", "0", "200"),
        ("arm", "2000", "200"),
    ]
    assert 'aria-label="40 % used, 50 % free, 10 % held out"' in page
    assert '<a href="/experiments/canary">canary</a>' in page


def test_a_holdout_is_edited_in_per_cent() -> None:
    endpoint()
    browser = visitor(Role.APPROVER)
    Layer.objects.update(holdout=1000)
    assert re.search(r'name="holdout" value="10.0"', text(browser, "/layers/chat/edit"))
    salt = Layer.objects.get().salt
    send(browser, "/layers/chat/edit", holdout="5")
    assert (Layer.objects.get().holdout, Layer.objects.get().salt) == (500, salt)


def test_what_would_move_users_is_refused_and_said() -> None:
    start(draft(), actor=SLUICE)
    page = send(visitor(Role.APPROVER), "/layers/chat/edit", holdout="5")
    assert "reaches into users of canary" in page
    assert Layer.objects.get().holdout == 0


def test_a_layer_with_endpoints_is_kept() -> None:
    endpoint()
    page = visitor(Role.APPROVER).post("/layers/chat/delete", follow=True).content.decode()
    assert "The layer chat is used by chat." in page


def test_many_layers_take_no_more_queries(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(8):
        endpoint(f"chat-{number}")
    browser = visitor(Role.VIEWER)
    with django_assert_max_num_queries(8):
        text(browser, "/layers")
