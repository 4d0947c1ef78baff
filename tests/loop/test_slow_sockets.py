"""Three hundred clients that send by halves or do not read, and somebody who halts beside them."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from examples.demo.story import BETTER, experiment_form
from tests.loop.installation import Installation
from tests.servers.slow_sockets import KINDS, SlowKind, slow_sockets

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

COUNT = 300
STAGES = [{"coverage": 100, "soak_seconds": 600}]


PATIENCE_SECONDS = 60
"""How long who halts waits; without the front they would wait for ever."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody logged in, with a token too; on a new connection for each request, as one who comes just now."""

    url: str
    token: str
    cookies: dict[str, str]
    form_token: str

    def call(self, path: str, **fields: str) -> httpx.Response:
        """Send JSON to the API."""
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.post(f"{self.url}/api/v1/{path}", json=fields, headers=headers, timeout=PATIENCE_SECONDS)

    def press(self, path: str, **fields: str) -> httpx.Response:
        """Send the form behind a button."""
        data = {"csrfmiddlewaretoken": self.form_token, **fields}
        return httpx.post(f"{self.url}/{path}", data=data, cookies=self.cookies, timeout=PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def operator(installation: Installation) -> Operator:
    url, credentials = installation.credentials["SLUICE_URL"], installation.credentials
    with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:
        client.get("/login")
        form = {"username": credentials["SLUICE_ADMIN_USER"], "password": credentials["SLUICE_ADMIN_PASSWORD"]}
        sent = {**form, "csrfmiddlewaretoken": client.cookies["sluice_csrf"]}
        assert client.post("/login", data=sent).status_code == 302
        return Operator(url, credentials["SLUICE_TOKEN"], dict(client.cookies), client.cookies["sluice_csrf"])


def started(installation: Installation, key: str) -> str:
    """The key of an experiment that runs."""
    installation.api("POST", "experiments", _form(key))
    installation.api("POST", f"experiments/{key}/start")
    return key


def _form(key: str) -> dict[str, Any]:
    return {**experiment_form(key, key, BETTER, stages=STAGES), "traffic": 2}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_halting_works_beside_them(installation: Installation, operator: Operator, kind: SlowKind) -> None:
    number, port = KINDS.index(kind), int(operator.url.rpartition(":")[2])
    by_api, by_page = (started(installation, f"by-{way}-{number}") for way in ("api", "page"))
    with slow_sockets(port, kind, COUNT):
        assert operator.call(f"experiments/{by_api}/halt", reason="beside three hundred").json()["state"] == "halted"
        assert operator.press(f"experiments/{by_page}/halt", reason="beside three hundred").status_code == 302
    assert installation.api("GET", f"experiments/{by_page}")["state"] == "halted"
