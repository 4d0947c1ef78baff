"""Nothing that was answered with 200 is undone by who writes beside it: real threads, server and database."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from threading import Barrier, Event
from typing import Any

import httpx
import pytest

from tests.visitors.website import PEOPLE, run_website

pytestmark = [pytest.mark.database, pytest.mark.slow, pytest.mark.timeout(900)]

ROUNDS = 4
FILL = f"""{PEOPLE}
from controlplane.audit.actors import SLUICE
from controlplane.settings import get_environment
from controlplane.accounts.tokens import issue_token
from experiments.actions.start import start
from routing.resources.register import register
from routing.models import Issuer
from tests.factories.drafts import backend, draft, endpoint
from tests.factories.tokens import Signer
(get_environment().data_directory / "token").write_text(issue_token(approver, "test"))
endpoint(standby="warm")
register(Issuer(key="login", name="Login", issuer="x", key_set=Signer().key_set()), actor=SLUICE)
for number in range({ROUNDS}):
    backend(f"candidate-{{number}}")
    candidate = {{"key": "new", "backend": f"candidate-{{number}}"}}
    start(draft(f"canary-{{number}}", traffic=5, candidates=[candidate]), actor=SLUICE)
"""

TWO_FIELDS = {
    "endpoints/chat": ("name", "timeout_seconds"),
    "backends/stable": ("name", "connect_seconds"),
    "layers/chat": ("name", "holdout"),
    "issuers/login": ("name", "issuer"),
    "metrics/cost-per-request": ("name", "description"),
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    directory = tmp_path_factory.mktemp("website")
    with run_website(directory, FILL) as address:
        headers = {"authorization": f"Bearer {(directory / 'token').read_text()}"}
        with httpx.Client(base_url=f"{address}/api/v1/", headers=headers, timeout=60) as client:
            yield client


def read(api: httpx.Client, path: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(path).raise_for_status().json()
    return found


def write(api: httpx.Client, method: str, path: str, body: object, **headers: str) -> httpx.Response:
    return api.request(method, path, json=body, headers=headers)


def value(field: str, number: int) -> Any:
    """Another value for each number, which the field may have."""
    return number + 1 if field.endswith("_seconds") or field == "holdout" else f"the {number}."


@pytest.mark.parametrize(("path", "fields"), TWO_FIELDS.items(), ids=list(TWO_FIELDS))
def test_two_who_change_different_fields_lose_nothing(api: httpx.Client, path: str, fields: tuple[str, str]) -> None:
    together = Barrier(len(fields))

    def change(field: str, number: int) -> int:
        together.wait()
        return write(api, "PATCH", path, {field: value(field, number)}).status_code

    with ThreadPoolExecutor() as people:
        for number in range(ROUNDS):
            answers = list(people.map(change, fields, (number, number)))
            found = read(api, path)
            assert answers == [200, 200]
            assert [found[field] for field in fields] == [value(field, number) for field in fields]


def test_promotions_and_switches_stand_beside_any_number_of_changes(api: httpx.Client) -> None:
    """Each field has one writer, who finds it as they left it before they write it again."""
    over = Event()
    path = "endpoints/chat"

    def keep_changing(field: str) -> int:
        last = read(api, path)[field]
        for number in count():
            if over.is_set():
                break
            assert read(api, path)[field] == last
            assert write(api, "PATCH", path, {field: value(field, number)}).status_code == 200
            last = value(field, number)
        assert read(api, path)[field] == last
        return number

    def sides() -> tuple[str, str]:
        found = read(api, path)
        return found["backend"], found["standby"]

    with ThreadPoolExecutor() as people:
        fields = ("name", "timeout_seconds", "idle_seconds", "first_byte_seconds")
        changing: list[Future[int]] = [people.submit(keep_changing, field) for field in fields]
        try:
            for number in range(ROUNDS):
                promoted = write(api, "POST", f"experiments/canary-{number}/promote", {"reason": "It is better."})
                assert promoted.status_code == 200
                assert sides() == (f"candidate-{number}", "warm")
                for expected in (("warm", f"candidate-{number}"), (f"candidate-{number}", "warm")):
                    assert write(api, "POST", f"{path}/switch", {"forced": True}).status_code == 200
                    assert sides() == expected
        finally:
            over.set()
        assert all(future.result() > 0 for future in changing)


def test_of_those_who_have_seen_the_same_one_writes(api: httpx.Client) -> None:
    path = "endpoints/chat"
    people = 6
    together = Barrier(people)

    def rename(name: str, tag: str) -> int:
        together.wait()
        return write(api, "PATCH", path, {"name": name}, **{"if-match": tag}).status_code

    with ThreadPoolExecutor(people) as pool:
        for number in range(ROUNDS):
            tag = api.get(path).headers["etag"]
            names = [f"Name {person} of {number}" for person in range(people)]
            answers = sorted(pool.map(rename, names, [tag] * people))
            assert answers == [200, *[412] * (people - 1)]
