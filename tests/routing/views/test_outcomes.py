"""The page of outcomes: counts by day, imports and how far they are, a file from a form."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from redis import Redis

from controlplane.models import Role
from routing.importing.run import Place
from routing.importing.waiting import run_waiting
from routing.models import EventImport
from tests.connections import environment
from tests.routing.importing.files import UNIT_KEY, csv_of, row
from tests.visitors.callers import Caller
from tests.visitors.roles import text, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path) -> Iterator[None]:
    with environment(data_directory=str(tmp_path)):
        yield


@pytest.mark.slow
def test_a_small_file_is_imported_without_a_script(redis_server: Redis, own_lake: str) -> None:
    browser = visitor(Role.APPROVER)
    file = SimpleUploadedFile("labels.csv", csv_of([row(1), row(2, value="x")]))
    answer = browser.post("/outcomes/import", {"file": file}, follow=True)
    assert "labels.csv is here" in answer.content.decode()
    run_waiting(Place(redis_server, own_lake, UNIT_KEY))
    shown = text(browser, "/outcomes")
    assert "Line 3: value: Input should be a valid number" in shown
    assert '<span class="pill good">Done</span>' in shown


@pytest.mark.usefixtures("redis_server")
def test_what_is_no_file_of_outcomes_is_said_so() -> None:
    browser = visitor(Role.APPROVER)
    answer = browser.post("/outcomes/import", {"file": SimpleUploadedFile("labels.xls", b"x")}, follow=True)
    assert "Name a file that ends in" in answer.content.decode()
    assert browser.post("/outcomes/import", {}).status_code == 400
    assert not EventImport.objects.exists()


@pytest.mark.usefixtures("redis_server")
def test_a_viewer_sees_the_page_and_imports_nothing() -> None:
    browser = visitor(Role.VIEWER)
    assert "Import a file" not in text(browser, "/outcomes")
    assert browser.post("/outcomes/import", {"file": SimpleUploadedFile("a.csv", b"x")}).status_code == 403


@pytest.mark.usefixtures("redis_server")
def test_progress_is_shown_by_a_refresh_of_the_imports_alone() -> None:
    EventImport.objects.create(
        key="k", name="a.csv", kind="csv", size=9, received=9, state="running", rows=8, reached=2
    )
    answer = visitor(Role.VIEWER).get("/outcomes", headers={"hx-request": "true"}).content.decode()
    assert 'value="25"' in answer
    assert "2 of 8" in answer
    assert "<h1>" not in answer


@pytest.mark.usefixtures("redis_server")
def test_days_show_what_became_of_outcomes(operator: Caller) -> None:
    event = {"id": "a", "name": "click", "unit": "ada"}
    operator.send("POST", "events", {"events": [event, event]})
    assert '<td class="number" data-label="Duplicate"><span>1</span></td>' in text(visitor(Role.VIEWER), "/outcomes")


def test_without_redis_the_page_is_there() -> None:
    assert "does not answer" in text(visitor(Role.VIEWER), "/outcomes")
