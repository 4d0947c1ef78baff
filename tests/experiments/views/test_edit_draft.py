"""The form of a draft that is there already."""

from html import unescape
from typing import Any

import pytest
from django.test import Client

from controlplane.audit.actors import SLUICE
from controlplane.models import AuditEvent, Role
from experiments.actions.edit_draft import edit_draft
from experiments.actions.start import start
from experiments.models import Experiment
from experiments.plan.as_written import as_written
from tests.experiments.views.test_new import fields
from tests.factories.drafts import backend, draft
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db

EDIT = "/experiments/canary/edit"
PLAN = {
    "stages": [{"coverage": 0.07, "soak_seconds": 61}, {"coverage": 33.33, "soak_seconds": 3600}],
    "metrics": [
        {"metric": "latency", "role": "guardrail", "margin": 0.07, "minimum_effect": 0.029},
        {"metric": "error-rate", "role": "guardrail", "margin": 0.0035, "margin_kind": "absolute"},
        {"metric": "completion-tokens", "role": "goal", "margin": 1e-13, "margin_kind": "absolute"},
        {"metric": "cost-per-request", "role": "observed", "margin": 0.3},
    ],
    "alpha": 0.07,
    "halt_alpha": 0.0001,
    "power": 0.9,
    "tick_seconds": 1.5,
    "maximum_seconds": 3661,
    "minimum_units": 7,
    "looks": 3,
    "spending": "pocock",
    "switched_off": ["redirect-rate"],
    "dimensions": ["edge", "stream"],
}
FULL: dict[str, Any] = {
    "name": "Ärger & <b>",
    "hypothesis": "It is\nbetter.",
    "kind": "ab",
    "traffic": 57.03,
    "audience": ["x-country is DE, FR"],
    "control": {"key": "old", "backend": "stable", "weight": 9, "query": {"seed": "1"}},
    "candidates": [
        {"key": "zebra", "backend": "candidate", "weight": 3, "headers": {"x-b": "2"}},
        {"key": "ape", "backend": "stable", "query": {"temperature": "0.2"}},
    ],
    "plan": PLAN,
    "guard": {"requests": 10, "failing_share": 0.07, "window_seconds": 0.5, "first_byte_ms": 1500},
}


@pytest.fixture
def browser() -> Client:
    backend("candidate")
    return visitor(Role.APPROVER)


def now() -> dict[str, Any]:
    return as_written(Experiment.objects.get(key="canary"))


def save(browser: Client, values: dict[str, Any]) -> str:
    return unescape(browser.post(EDIT, values, follow=True).content.decode())


def opened(browser: Client) -> dict[str, Any]:
    return fields(text(browser, EDIT))


BLANK: dict[str, Any] = {
    "name": "  Blanks ",
    "hypothesis": " It is\r\nbetter. \n\n and cheaper\n",
    "control": {"key": "old", "backend": "stable", "headers": {"x-a": " 1 "}},
    "plan": {**PLAN, "switched_off": ["redirect-rate", "client-error-rate"]},
}


@pytest.mark.parametrize("changes", [{}, FULL, {"guard": None}, BLANK])
def test_saving_what_was_opened_changes_nothing(browser: Client, changes: dict[str, Any]) -> None:
    before = as_written(draft(**changes))
    # A browser ends each line so.
    sent = {name: v.replace("\n", "\r\n") if isinstance(v, str) else v for name, v in opened(browser).items()}
    assert "Nothing is changed: the draft is as it was." in save(browser, sent)
    assert now() == before
    assert Experiment.objects.get().version == 1
    assert not AuditEvent.objects.filter(verb="edit").exists()


def test_what_is_typed_is_saved_and_told_in_the_log(browser: Client) -> None:
    before = as_written(draft(**FULL))
    typed = {"looks": "5", "spending": "obrien-fleming", "guard_failing_share": "29", "candidates-1-weight": "4"}
    page = save(browser, {**opened(browser), **typed})
    ape = {**before["candidates"][1], "weight": 4}
    assert now() == {
        **before,
        "candidates": [before["candidates"][0], ape],
        "plan": {**before["plan"], "looks": 5, "spending": "obrien-fleming"},
        "guard": {**before["guard"], "failing_share": 0.29},
    }
    assert "Edited" in page


def test_candidates_come_and_go_and_the_guard_goes(browser: Client) -> None:
    draft()
    longer = fields(save(browser, {**opened(browser), "name": "Half typed", "add_row": "candidates"}))
    assert (longer["name"], longer["candidates-1-key"], longer["candidates-1-weight"]) == (
        "Half typed",
        "candidate-2",
        "1",
    )
    longer.pop("guarded")
    save(browser, {**longer, "candidates-1-backend": "candidate", "candidates-1-weight": "2"})
    found = now()
    assert [(c["key"], c["backend"], c["weight"]) for c in found["candidates"]] == [
        ("better", "candidate", 1),
        ("candidate-2", "candidate", 2),
    ]
    assert (found["guard"], found["name"]) == (None, "Half typed")
    save(browser, fields(save(browser, {**opened(browser), "remove_row": "candidates-0"})))
    assert [candidate["key"] for candidate in now()["candidates"]] == ["candidate-2"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"looks": "101"}, "less than or equal to 100"),
        ({"guard_requests": "1"}, "greater than or equal to 10"),
        ({"candidates-1-weight": "0"}, "greater than or equal to 1"),
        ({"candidates-1-key": "zebra"}, "Each variant needs a key of its own."),
        ({"candidates-0-backend": ""}, "This field is required."),
        ({"stages-1-coverage": "0.01"}, "must be larger than the one before"),
        ({"traffic": "0.03"}, "a variant would have none"),
    ],
)
def test_what_cannot_be_used_is_said_and_nothing_typed_is_lost(
    browser: Client, changes: dict[str, str], problem: str
) -> None:
    before = as_written(draft(**FULL))
    values = {**opened(browser), "name": "Mine", **changes}
    page = save(browser, values)
    assert problem in page
    assert now() == before
    kept = fields(page)
    assert {name: kept.get(name) for name in values if name not in ("csrfmiddlewaretoken", "opened")} == {
        name: value for name, value in values.items() if name not in ("csrfmiddlewaretoken", "opened")
    }


def test_who_changed_it_meanwhile_is_told_and_nothing_typed_is_lost(browser: Client) -> None:
    page = opened(browser) if draft() else {}
    theirs = {"hypothesis": "Theirs.", "name": "Theirs", "plan": {**now()["plan"], "looks": 7}}
    edit_draft(Experiment.objects.get(), theirs, actor=SLUICE)

    answer = save(browser, {**page, "name": "Mine", "traffic": "50", "looks": "20"})

    assert "Nothing is saved: this was changed after you opened it." in answer
    assert "by sluice (edit)" in answer
    assert "You both changed it." in answer
    assert now()["name"] == "Theirs"
    shown = fields(answer)
    assert (shown["name"], shown["hypothesis"], shown["traffic"], shown["looks"]) == ("Mine", "Theirs.", "50", "7")
    assert "The draft is changed." in save(browser, shown)
    found = now()
    assert (found["name"], found["hypothesis"], found["traffic"], found["plan"]["looks"]) == ("Mine", "Theirs.", 50, 7)
    assert AuditEvent.objects.filter(verb="edit", actor="approver").count() == 1


def test_a_page_that_does_not_say_what_it_was_made_of_writes_nothing(browser: Client) -> None:
    before = as_written(draft())
    values = {name: value for name, value in opened(browser).items() if name not in ("version", "opened")}
    assert "Nothing is saved" in save(browser, {**values, "name": "Mine"})
    assert now() == before


def test_one_that_has_started_is_not_changed(browser: Client) -> None:
    values = opened(browser) if draft() else {}
    assert 'href="/experiments/canary/edit"' in text(browser, "/experiments/canary")
    start(Experiment.objects.get(), actor=SLUICE)
    before = now()
    assert "its plan is frozen" in save(browser, {**values, "name": "Mine"})
    assert now() == before
    assert 'href="/experiments/canary/edit"' not in text(browser, "/experiments/canary")
