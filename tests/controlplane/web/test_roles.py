"""Who sees which page and which button, and that the server refuses what it does not show."""

import re

import pytest
from django.test import Client

from controlplane.models import ACCOUNT_ROLES, AuditEvent, Role
from experiments.models import Experiment, Metric
from routing.models import Backend
from tests.factories.drafts import draft, endpoint
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db

PAGES = (
    "/",
    "/experiments/canary",
    "/experiments/canary/live",
    "/experiments/canary/forecast",
    "/backends",
    "/endpoints",
    "/layers",
    "/metrics",
    "/edges",
    "/outcomes",
    "/routing-tables",
    "/routing-tables/1",
    "/audit",
    "/tokens",
    "/password",
    "/api/redoc",
    "/api/swagger",
)
FORMS = (
    "/experiments/new",
    "/experiments/canary/promote",
    "/experiments/canary/edit",
    "/experiments/canary/delete",
    "/backends/new",
    "/backends/stable/edit",
    "/backends/stable/delete",
    "/endpoints/new",
    "/endpoints/chat/edit",
    "/endpoints/chat/delete",
    "/endpoints/chat/stop",
    "/endpoints/warm/switch",
    "/kill-switch",
    "/layers/new",
    "/layers/chat/edit",
    "/layers/chat/delete",
    "/metrics/new",
    "/metrics/cost-per-request/edit",
    "/metrics/cost-per-request/delete",
)
BUTTONS = tuple(f"/experiments/canary/{verb}" for verb in ("start", "pause", "resume", "halt"))


@pytest.fixture(scope="module", autouse=True)
def _experiment(module_database: None) -> None:
    draft()
    endpoint("warm", standby="spare")


@pytest.mark.parametrize("path", PAGES + FORMS)
def test_a_stranger_is_asked_to_log_in(path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/login?next={path}")


@pytest.mark.parametrize("path", PAGES)
def test_a_viewer_sees_every_page(path: str) -> None:
    assert "You may not do this" not in text(visitor(Role.VIEWER), path)


@pytest.mark.parametrize("path", FORMS)
def test_a_viewer_may_open_no_form(path: str) -> None:
    page = text(visitor(Role.VIEWER), path, status=403)
    assert re.search("viewer has the role viewer, and this needs the right (plan|start|halt|promote)[.]", page)


@pytest.mark.parametrize("path", FORMS + BUTTONS)
def test_a_viewer_may_send_no_form(path: str) -> None:
    changes = AuditEvent.objects.count()
    assert visitor(Role.VIEWER).post(path, {"reason": "why not"}).status_code == 403
    assert AuditEvent.objects.count() == changes
    assert (Experiment.objects.count(), Backend.objects.count()) == (1, 3)
    assert Metric.objects.filter(key="cost-per-request").exists()


def is_offered(path: str, page: str) -> bool:
    """Whether the page leads there, with or without a query."""
    return f'"{path}"' in page or f'"{path}?' in page


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/tokens"])
def test_a_viewer_is_shown_no_button_that_writes(path: str) -> None:
    page = text(visitor(Role.VIEWER), path)
    assert [other for other in FORMS + BUTTONS if is_offered(other, page)] == []


@pytest.mark.parametrize(
    ("path", "offered"),
    [
        ("/", ["/experiments/new"]),
        (
            "/experiments/canary",
            ["/experiments/canary/start", "/experiments/canary/edit", "/experiments/canary/delete"],
        ),
        ("/backends", ["/backends/new", "/backends/stable/edit", "/backends/stable/delete"]),
        (
            "/endpoints",
            [
                "/endpoints/new",
                "/endpoints/chat/edit",
                "/endpoints/chat/delete",
                "/endpoints/chat/stop",
                "/kill-switch",
            ],
        ),
        ("/layers", ["/layers/new", "/layers/chat/edit", "/layers/chat/delete"]),
        ("/metrics", ["/metrics/new", "/metrics/cost-per-request/edit", "/metrics/cost-per-request/delete"]),
    ],
)
def test_an_approver_is_offered_what_may_be_done(path: str, offered: list[str]) -> None:
    page = text(visitor(Role.APPROVER), path)
    assert [other for other in offered if not is_offered(other, page)] == []


@pytest.mark.parametrize("path", [path for path in FORMS if path != "/experiments/canary/promote"])
def test_an_approver_may_open_every_form(path: str) -> None:
    assert "<form" in text(visitor(Role.APPROVER), path)


@pytest.mark.parametrize("path", BUTTONS)
def test_buttons_are_no_links(path: str) -> None:
    assert visitor(Role.APPROVER).get(path).status_code == 405


STOPS = ("/kill-switch", "/endpoints/chat/stop")
DEFAULTS = ("/endpoints/warm/switch", "/experiments/canary/promote")


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        (Role.OPERATOR, {*STOPS}),
        (Role.EDITOR, {*STOPS, "/endpoints/new", "/endpoints/chat/edit", "/endpoints/chat/delete"}),
        (Role.APPROVER, {*STOPS, "/endpoints/new", "/endpoints/chat/edit", "/endpoints/chat/delete", DEFAULTS[0]}),
    ],
)
def test_each_is_offered_what_the_role_may(role: Role, offered: set[str]) -> None:
    page = text(visitor(role), "/endpoints")
    assert {path for path in FORMS if is_offered(path, page)} - {"/endpoints/warm/edit"} == offered


@pytest.mark.parametrize(("role", "starts"), [(Role.OPERATOR, False), (Role.EDITOR, False), (Role.APPROVER, True)])
def test_a_draft_is_started_by_who_approves(role: Role, starts: bool) -> None:
    page = text(visitor(role), "/experiments/canary")
    assert is_offered("/experiments/canary/start", page) is starts
    assert is_offered("/experiments/canary/edit", page) is (role is not Role.OPERATOR)


@pytest.mark.parametrize("role", [role for role in ACCOUNT_ROLES if role is not Role.ADMIN])
@pytest.mark.parametrize("path", ["/people", "/people/viewer/edit", "/people/viewer/link"])
def test_people_are_an_admins(role: Role, path: str) -> None:
    visitor(Role.VIEWER)
    assert "this needs the right admin. Ask an admin for the role admin." in text(visitor(role), path, status=403)
    assert visitor(role).post("/people/viewer/active").status_code == 403
