"""Many who do the same, or the opposite, at one moment: one wins, the others are told so, and nothing fails."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from threading import Barrier
from typing import Any

import httpx
import pytest

from tests.factories.drafts import draft_data
from tests.factories.tokens import Signer
from tests.visitors.website import run_web_app

pytestmark = [pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

AT_ONCE = 20
PATIENCE_SECONDS = 120
NAME, PASSWORD = "olga", "a good long one"
FILL = f"""
import json, os, pathlib
import django
django.setup()
from controlplane.models import Role, User
from controlplane.accounts.tokens import issue_token
olga = User.objects.filter(username={NAME!r}).first() or User.objects.create_user(
    {NAME!r}, password={PASSWORD!r}, role=Role.APPROVER)
pathlib.Path(os.environ["SLUICE_DATA_DIRECTORY"], "token").write_text(issue_token(olga, "races", role=Role.APPROVER))
"""
KEY_SET = Signer().key_set()
NUMBERS = count(1)

BODIES: dict[str, Callable[[str], dict[str, Any]]] = {
    "backends": lambda key: {"key": key, "name": key, "addresses": ["http://127.0.0.1:9"]},
    "layers": lambda key: {"key": key, "name": key},
    "issuers": lambda key: {"key": key, "name": key, "issuer": f"https://{key}.example.com", "key_set": KEY_SET},
    "endpoints": lambda key: {"key": key, "name": key, "path_prefix": f"/{key}", "backend": "stable"},
    "metrics": lambda key: {"key": key, "name": key, "type": "mean", "numerator": "requests", "direction": "increase"},
    "experiments": lambda key: draft_data(key, traffic=2),
}
"""A thing of each kind, by its key."""


@dataclass(frozen=True, slots=True)
class Sluice:
    """A running web app, and somebody who may operate it by the API and by pages."""

    url: str
    token: str
    cookies: dict[str, str]

    def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Call the API on a connection of its own."""
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.request(method, f"{self.url}/api/v1/{path}", json=body, headers=headers, timeout=PATIENCE_SECONDS)

    def post(self, path: str, fields: dict[str, str]) -> httpx.Response:
        """Send a form."""
        sent = {**fields, "csrfmiddlewaretoken": self.cookies["sluice_csrf"]}
        return httpx.post(f"{self.url}{path}", data=sent, cookies=self.cookies, timeout=PATIENCE_SECONDS)

    def make(self, kind: str, key: str, **changes: object) -> None:
        """Create a thing; nothing when it is there."""
        answer = self.call("POST", kind, {**BODIES[kind](key), **changes})
        assert answer.status_code == 201, answer.text

    def recorded(self, verb: str, key: str) -> int:
        """How many events of the audit trail say that this was done to it."""
        page = httpx.get(f"{self.url}/audit", params={"verb": verb, "object_key": key}, cookies=self.cookies)
        return page.text.count('data-label="What"')


@pytest.fixture(scope="module")
def sluice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sluice]:
    directory = tmp_path_factory.mktemp("races")
    with run_web_app(directory, FILL) as website:
        with httpx.Client(base_url=website.address, timeout=PATIENCE_SECONDS) as browser:
            browser.get("/login")
            form = {"username": NAME, "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["sluice_csrf"]}
            assert browser.post("/login", data=form).status_code == 302
            found = Sluice(website.address, (directory / "token").read_text(), dict(browser.cookies))
        for kind, key in (("backends", "stable"), ("backends", "candidate"), ("endpoints", "chat")):
            found.call("POST", kind, BODIES[kind](key))
        yield found


def fresh(kind: str) -> str:
    """A key that nothing has."""
    return f"{kind}-{next(NUMBERS)}-of-races"


def at_once(calls: Sequence[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    """Make all calls at one moment; no answer is a failure, and refusals by the API are problems."""
    start = Barrier(len(calls))

    def run(call: Callable[[], httpx.Response]) -> httpx.Response:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        answers = list(threads.map(run, calls))
    for answer in answers:
        assert answer.status_code < 500, answer.text[:1000]
        if "/api/" in str(answer.url) and answer.is_error:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["next_step"]
    return answers


def statuses(answers: Sequence[httpx.Response]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


@pytest.mark.parametrize("kind", BODIES)
def test_one_of_many_creates_a_thing(sluice: Sluice, kind: str) -> None:
    key = fresh(kind)
    answers = at_once([lambda: sluice.call("POST", kind, BODIES[kind](key))] * AT_ONCE)
    assert statuses(answers)[0] == 201
    assert set(statuses(answers)[1:]) <= {400, 409}
    refusals = [answer.json() for answer in answers if answer.is_error]
    assert {problem["field"] for refusal in refusals for problem in refusal["problems"]} == {"key"}
    assert sluice.call("GET", f"{kind}/{key}").status_code == 200


@pytest.mark.parametrize("kind", BODIES)
def test_one_of_many_deletes_a_thing(sluice: Sluice, kind: str) -> None:
    key = fresh(kind)
    sluice.make(kind, key)
    answers = at_once([lambda: sluice.call("DELETE", f"{kind}/{key}")] * AT_ONCE)
    assert statuses(answers) == [204, *[404] * (AT_ONCE - 1)]
    assert sluice.recorded("delete" if kind == "experiments" else "remove", key) == 1


def test_one_of_many_revokes_a_key(sluice: Sluice) -> None:
    client = fresh("client")
    sluice.call("POST", "access-keys", {"client": client})
    [number] = [
        key["id"]
        for key in sluice.call("GET", "access-keys?page_size=500").json()["results"]
        if key["client"] == client
    ]
    answers = at_once([lambda: sluice.call("DELETE", f"access-keys/{number}")] * AT_ONCE)
    assert statuses(answers) == [204, *[409] * (AT_ONCE - 1)]
    assert sluice.recorded("revoke", client) == 1


@pytest.mark.parametrize("kind", [kind for kind in BODIES if kind != "experiments"])
def test_changes_beside_deletes(sluice: Sluice, kind: str) -> None:
    key = fresh(kind)
    sluice.make(kind, key)
    change = [lambda: sluice.call("PATCH", f"{kind}/{key}", {"name": "Changed"})] * (AT_ONCE // 2)
    delete = [lambda: sluice.call("DELETE", f"{kind}/{key}")] * (AT_ONCE // 2)
    answers = at_once([call for pair in zip(change, delete, strict=True) for call in pair])
    assert set(statuses(answers)) <= {200, 204, 404, 409, 412}
    assert statuses(answers).count(204) == 1


def test_starts_beside_deletes(sluice: Sluice) -> None:
    for _ in range(3):
        key = fresh("experiments")
        sluice.make("experiments", key)
        start = [lambda: sluice.call("POST", f"experiments/{key}/start", {})] * (AT_ONCE // 2)  # noqa: B023
        delete = [lambda: sluice.call("DELETE", f"experiments/{key}")] * (AT_ONCE // 2)  # noqa: B023
        answers = at_once([call for pair in zip(start, delete, strict=True) for call in pair])
        there = sluice.call("GET", f"experiments/{key}")
        # Either it runs, or it is gone and nothing of it runs.
        assert statuses(answers).count(204) == (there.status_code == 404)
        table = sluice.call("GET", "routing-tables/current").json()["content"]
        running = [experiment["key"] for endpoint in table["endpoints"] for experiment in endpoint["experiments"]]
        assert (key in running) == (there.status_code == 200 and there.json()["state"] == "running")
        if there.status_code == 200:
            sluice.call("POST", f"experiments/{key}/halt", {"reason": "the test is over"})


@pytest.mark.parametrize(
    ("needed", "kind", "field"),
    [
        ("backends", "endpoints", "backend"),
        ("layers", "endpoints", "layer"),
        ("issuers", "endpoints", "issuer"),
        ("backends", "backends", "fallback"),
        ("endpoints", "experiments", "endpoint"),
        ("endpoints", "access-keys", "endpoints"),
    ],
)
def test_who_names_a_thing_beside_those_who_delete_it(sluice: Sluice, needed: str, kind: str, field: str) -> None:
    key = fresh(needed)
    sluice.make(needed, key)
    value = [key] if field == "endpoints" else key
    bodies = [
        {"client": fresh("client")} if kind == "access-keys" else BODIES[kind](fresh(kind)) for _ in range(AT_ONCE // 2)
    ]
    create = [lambda body=body: sluice.call("POST", kind, {**body, field: value}) for body in bodies]
    delete = [lambda: sluice.call("DELETE", f"{needed}/{key}")] * (AT_ONCE // 2)
    answers = at_once([call for pair in zip(create, delete, strict=True) for call in pair])
    assert set(statuses(answers)) <= {201, 204, 400, 404, 409}


def test_a_double_click_on_a_form_shows_a_sentence(sluice: Sluice) -> None:
    key = fresh("backends")
    form = {"key": key, "name": key, "protocol": "openai", "addresses": "http://127.0.0.1:9"}
    answers = at_once([lambda: sluice.post("/backends/new", form)] * (AT_ONCE // 2))
    assert statuses(answers) == [200] * (AT_ONCE // 2 - 1) + [302]
    for page in answers:
        assert page.status_code == 302 or "already" in page.text


def test_kill_switches_turned_at_once_are_one(sluice: Sluice) -> None:
    for turned in (True, False):
        body = {"on": turned, "endpoint": "chat", "reason": "all at once"}
        answers = at_once([lambda: sluice.call("POST", "kill-switch", body)] * AT_ONCE)  # noqa: B023
        assert statuses(answers) == [200] * AT_ONCE


def test_metrics_are_named_beside_those_who_delete_them(sluice: Sluice) -> None:
    metric = fresh("metrics")
    sluice.make("metrics", metric)
    drafts = [json.loads(json.dumps(BODIES["experiments"](fresh("experiments")))) for _ in range(AT_ONCE // 2)]
    for each in drafts:
        each["plan"]["metrics"].append({"metric": metric, "role": "observed"})
    create = [lambda each=each: sluice.call("POST", "experiments", each) for each in drafts]
    delete = [lambda: sluice.call("DELETE", f"metrics/{metric}")] * (AT_ONCE // 2)
    answers = at_once([call for pair in zip(create, delete, strict=True) for call in pair])
    assert set(statuses(answers)) <= {201, 204, 400, 404, 409}
