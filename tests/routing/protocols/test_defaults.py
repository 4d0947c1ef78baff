"""A health path that was left empty is that of what the backend speaks."""

import json

import pytest

from controlplane.models import Role
from routing.models import Backend, RoutingTable
from tests.visitors.callers import Caller
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db

SENT = {"key": "llm", "name": "LLM", "protocol": "ray-serve", "addresses": ["http://10.0.0.5:8000"]}


def published() -> str:
    """The health path that edges were last told."""
    content = json.loads(RoutingTable.objects.latest("version").content)
    path: str = content["backends"][0]["health_path"]
    return path


def test_the_api_takes_a_backend_without_one(operator: Caller) -> None:
    assert operator.send("POST", "backends", SENT).status_code == 201
    assert published() == "/-/healthz"


def test_it_follows_the_protocol(operator: Caller) -> None:
    operator.send("POST", "backends", {**SENT, "health_path": ""})
    operator.send("PATCH", "backends/llm", {"protocol": "tgi"})
    assert published() == "/health"


def test_one_of_its_own_is_kept(operator: Caller) -> None:
    operator.send("POST", "backends", {**SENT, "health_path": "/mine"})
    operator.send("PATCH", "backends/llm", {"protocol": "tgi"})
    assert published() == "/mine"


def test_an_unknown_protocol_is_refused(operator: Caller) -> None:
    answer = operator.send("POST", "backends", {**SENT, "protocol": "telepathy"})
    assert answer.status_code == 400
    assert not Backend.objects.exists()


def test_pages_show_the_path_that_is_asked() -> None:
    typed = {**SENT, "addresses": SENT["addresses"][0], "health_path": "", "protocol": "triton"}
    visitor(Role.APPROVER).post("/backends/new", typed)
    page = text(visitor(Role.VIEWER), "/backends")
    assert "/v2/health/ready" in page
    assert "Triton Inference Server" in page
