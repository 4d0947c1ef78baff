"""OpenFeature's own SDK, with its own provider, asks a running server; so does the example of the documentation."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from routing.allocation.assign import assign
from routing.table import Endpoint, from_json
from tests.visitors.website import run_website
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

FLAG = "better-answers"
DEFAULT = "the default of the code"
USERS = [f"user-{number}" for number in range(200)] + ['"quoted"', "日本/語?&#%", " blank "]
DOCUMENT = Path(__file__).resolve().parents[3] / "docs/ofrep.md"
FILL = f"""
import json, os, pathlib
import django
django.setup()
from controlplane.audit.actors import SLUICE
from controlplane.models import Role, User
from controlplane.accounts.tokens import issue_token
from experiments.actions.start import start
from routing.publishing.newest_table import latest_table
from tests.factories.drafts import draft
start(draft({FLAG!r}), actor=SLUICE)
token = issue_token(User.objects.create_user("service", role=Role.APPROVER), "sdk", role=Role.REPORTER)
known = {{"token": token, "table": latest_table().content}}
pathlib.Path(os.environ["SLUICE_DATA_DIRECTORY"], "known.json").write_text(json.dumps(known))
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers, a token for it, and the endpoint of its experiment."""

    url: str
    token: str
    endpoint: Endpoint


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("website")
    with run_website(directory, FILL) as url:
        known = json.loads((directory / "known.json").read_text())
        [endpoint] = from_json(known["table"]).endpoints
        yield Server(url, known["token"], endpoint)


@pytest.fixture
def provider(server: Server) -> Iterator[OFREPProvider]:
    known = {"Authorization": f"Bearer {server.token}"}
    provider = OFREPProvider(server.url, headers_factory=lambda: known, timeout=PATIENCE_SECONDS)
    api.set_provider_and_wait(provider)
    yield provider
    provider.session.close()
    api.clear_providers()


@pytest.fixture
def client(provider: OFREPProvider) -> OpenFeatureClient:
    return api.get_client()


def test_every_user_gets_what_the_edge_would_give(client: OpenFeatureClient, server: Server) -> None:
    reasons = set()
    for unit in USERS:
        assigned = assign(server.endpoint, unit)

        flag = client.get_string_details(FLAG, DEFAULT, EvaluationContext(unit))

        assert flag.error_code is None
        assert (flag.value, flag.variant) == (assigned.variant or "control", assigned.variant or "")
        assert flag.flag_metadata["backend"] == assigned.backend
        reasons.add(flag.reason)
    assert reasons == {Reason.SPLIT, Reason.DEFAULT}


@pytest.mark.parametrize(
    ("key", "unit", "code"), [("gone", "ada", ErrorCode.FLAG_NOT_FOUND), (FLAG, None, ErrorCode.TARGETING_KEY_MISSING)]
)
def test_what_cannot_be_evaluated_gives_the_default_and_says_why(
    client: OpenFeatureClient, key: str, unit: str | None, code: ErrorCode
) -> None:
    flag = client.get_string_details(key, DEFAULT, EvaluationContext(unit))

    assert (flag.value, flag.error_code) == (DEFAULT, code)


def test_a_stranger_gets_the_default(client: OpenFeatureClient, provider: OFREPProvider) -> None:
    provider.headers_factory = None

    flag = client.get_string_details(FLAG, DEFAULT, EvaluationContext("ada"))

    assert (flag.value, flag.error_message) == (DEFAULT, "unauthorized")


def test_an_attribute_of_the_context_records_an_exposure(client: OpenFeatureClient, server: Server) -> None:
    unit = next(unit for unit in USERS if assign(server.endpoint, unit).variant)

    flag = client.get_string_details(FLAG, DEFAULT, EvaluationContext(unit, {"recordExposure": True}))

    assert flag.flag_metadata["exposureRecorded"] is True


def test_the_documented_example_runs(server: Server) -> None:
    [example] = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    environment = {**os.environ, "SLUICE_URL": server.url, "SLUICE_TOKEN": server.token}

    ran = subprocess.run([sys.executable, "-c", example], env=environment, capture_output=True, text=True, check=True)

    value = assign(server.endpoint, "alice").variant or "control"
    assert ran.stdout.split()[0] == value
    assert ran.stderr == ""
