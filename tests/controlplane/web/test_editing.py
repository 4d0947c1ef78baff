"""Forms that were open while somebody else wrote: nothing is undone, and the difference is shown."""

import pytest
from django.db.models import Model
from django.test import Client

from controlplane.audit.actors import SLUICE
from controlplane.models import AuditEvent, Role
from experiments.actions.promote import promote_by_hand
from experiments.actions.start import start
from experiments.metrics.edit_metric import edit_metric
from experiments.models import Metric
from routing.models import Backend, Endpoint, Issuer, Layer
from routing.resources.edit import edit
from routing.resources.register import register
from tests.factories.drafts import draft, endpoint
from tests.factories.tokens import Signer
from tests.visitors.pages import fields, opened, send
from tests.visitors.roles import visitor

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

CHAT = "/endpoints/chat/edit"
KINDS = {"backends/stable": Backend, "endpoints/chat": Endpoint, "layers/chat": Layer, "issuers/login": Issuer}


@pytest.fixture
def browser() -> Client:
    endpoint()
    register(Issuer(key="login", name="Login", issuer="x", key_set=Signer().key_set()), actor=SLUICE)
    return visitor(Role.APPROVER)


def post(browser: Client, path: str, page: dict[str, str], **typed: str) -> str:
    return browser.post(path, {**page, **typed}, follow=True).content.decode()


def promote() -> None:
    experiment = draft()
    start(experiment, actor=SLUICE)
    promote_by_hand(experiment, actor=SLUICE, reason="It is better.")


def rows(page: str) -> list[list[str]]:
    """The cells of the table of differences."""
    body = page.partition('<th scope="col">If you save</th>')[2].partition("</tbody>")[0]
    cells = [row.replace('<th scope="row">', "<td>").split("<td")[1:] for row in body.split("<tr>")[1:]]
    return [[" ".join(_text(cell).split()) for cell in row] for row in cells]


def _text(markup: str) -> str:
    return "".join(part.partition(">")[2] for part in f"<{markup}".split("<"))


def test_a_page_that_was_open_does_not_undo_a_promotion(browser: Client) -> None:
    page = opened(browser, CHAT)
    promote()

    answer = post(browser, CHAT, page, name="Renamed")

    assert "Nothing is saved: this was changed after you opened it." in answer
    assert "by sluice (promote): It is better." in answer
    assert ["Default backend", "stable", "candidate", "candidate"] in rows(answer)
    assert ["Name", "chat", "chat", "Renamed"] in rows(answer)
    found = Endpoint.objects.get()
    assert (found.name, found.backend.key) == ("chat", "candidate")


def test_what_is_saved_then_is_what_the_person_changed_alone(browser: Client) -> None:
    page = opened(browser, CHAT)
    promote()
    shown = fields(post(browser, CHAT, page, name="Renamed"))

    assert "is changed" in post(browser, CHAT, shown)

    found = Endpoint.objects.get()
    assert (found.name, found.backend.key) == ("Renamed", "candidate")
    event = AuditEvent.objects.filter(verb="edit").latest("id")
    assert {name for name in event.after if event.after[name] != event.before[name]} == {"name"}


def test_what_both_changed_is_said_and_chosen(browser: Client) -> None:
    page = opened(browser, CHAT)
    edit(Endpoint.objects.get(), {"name": "Theirs", "timeout_seconds": 9}, actor=SLUICE)

    answer = post(browser, CHAT, page, name="Mine")

    assert ["Name You both changed it.", "chat", "Theirs", "Mine"] in rows(answer)
    assert ["Time limit of an answer, seconds", "10", "9", "9"] in rows(answer)
    assert Endpoint.objects.get().name == "Theirs"
    assert "is changed" in post(browser, CHAT, fields(answer))
    found = Endpoint.objects.get()
    assert (found.name, found.timeout_seconds) == ("Mine", 9)


def test_a_second_change_meanwhile_is_shown_too(browser: Client) -> None:
    page = opened(browser, CHAT)
    edit(Endpoint.objects.get(), {"retries": 3}, actor=SLUICE)
    shown = fields(post(browser, CHAT, page, name="Mine"))
    edit(Endpoint.objects.get(), {"timeout_seconds": 9}, actor=SLUICE)

    again = post(browser, CHAT, shown)

    assert sorted(row[0] for row in rows(again)) == ["Name", "Time limit of an answer, seconds"]
    assert "is changed" in post(browser, CHAT, fields(again))
    found = Endpoint.objects.get()
    assert (found.name, found.retries, found.timeout_seconds) == ("Mine", 3, 9)


def test_a_page_that_does_not_say_what_it_was_made_of_writes_nothing(browser: Client) -> None:
    page = {name: text for name, text in opened(browser, CHAT).items() if name != "version" and "initial-" not in name}
    promote()

    answer = post(browser, CHAT, page, name="Renamed")

    assert "Nothing is saved" in answer
    assert Endpoint.objects.get().backend.key == "candidate"


@pytest.mark.parametrize(("path", "kind"), KINDS.items(), ids=list(KINDS))
def test_every_kind_of_thing_has_such_a_form(browser: Client, path: str, kind: type[Model]) -> None:
    thing = kind._default_manager.get(key=path.rpartition("/")[2])
    page = opened(browser, f"/{path}/edit")
    edit(thing, {"name": "Theirs"}, actor=SLUICE)  # type: ignore[arg-type]

    answer = post(browser, f"/{path}/edit", page)

    assert [row[0] for row in rows(answer)] == ["Name"]
    assert "is changed" in post(browser, f"/{path}/edit", fields(answer), name="Mine")
    assert AuditEvent.objects.filter(verb="edit").count() == 2


def test_so_has_a_metric(browser: Client) -> None:
    page = opened(browser, "/metrics/cost-per-request/edit")
    edit_metric(Metric.objects.get(key="cost-per-request"), {"name": "Theirs"}, actor=SLUICE)

    answer = post(browser, "/metrics/cost-per-request/edit", page, description="Mine.")

    assert sorted(row[0] for row in rows(answer)) == ["Description", "Name"]
    post(browser, "/metrics/cost-per-request/edit", fields(answer))
    found = Metric.objects.get(key="cost-per-request")
    assert (found.name, found.description) == ("Theirs", "Mine.")


FULL = {
    "anonymous": True,
    "hosts": ["api.example.com"],
    "conditions": ["x-beta is present"],
    "headers": {"x-prompt": "v2", "x-style": "a: b"},
    "query": {"temperature": "0.2"},
    "rules": [{"key": "de", "conditions": ["x-country is DE"], "backend": "stable", "headers": {"x-prompt": "de"}}],
    "tiers": [{"key": "short", "backend": "stable", "longest_bytes": 100}],
    "first_byte_seconds": 1.5,
}


def test_an_untouched_page_writes_nothing_whatever_it_holds(browser: Client) -> None:
    edit(Endpoint.objects.get(), FULL, actor=SLUICE)
    edit(Layer.objects.get(), {"holdout": 333}, actor=SLUICE)
    events = AuditEvent.objects.count()

    for path in (
        CHAT,
        "/layers/chat/edit",
        "/backends/stable/edit",
        "/issuers/login/edit",
        "/metrics/cost-per-request/edit",
    ):
        assert "is changed" in send(browser, path)

    assert AuditEvent.objects.count() == events
    found = Endpoint.objects.get()
    assert {name: getattr(found, name) for name in FULL} == FULL


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [
        ("headers", "x-prompt: v3\r\nx-style: dry", {"x-prompt": "v3", "x-style": "dry"}),
        ("headers", "", {}),
        ("rules", "", []),
        ("tiers", "", []),
        ("hosts", "", []),
        ("anonymous", None, False),
        ("timeout_seconds", "", 300),
    ],
)
def test_what_is_typed_is_what_is_kept(browser: Client, field: str, typed: str | None, kept: object) -> None:
    edit(Endpoint.objects.get(), {**FULL, "timeout_seconds": 9}, actor=SLUICE)
    page = {name: text for name, text in opened(browser, CHAT).items() if name != field}

    post(browser, CHAT, page if typed is None else {**page, field: typed})

    assert getattr(Endpoint.objects.get(), field) == kept


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("headers", "x-sluice-variant: a"),
        ("headers", "no colon"),
        ("test_networks", "10.0.0.0/8\n10.0.0.1/8"),
        ("standby_query", ": x"),
        ("rules", '[{"key": "x"}]'),
    ],
)
def test_what_cannot_be_set_is_said_beside_its_field(browser: Client, field: str, typed: str) -> None:
    answer = send(browser, CHAT, **{field: typed})

    assert f'id="id_{field}_error"' in answer
    assert Endpoint.objects.get().version == 1
