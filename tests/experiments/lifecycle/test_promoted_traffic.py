"""What users' requests are, at a real Envoy, once a candidate was promoted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from controlplane.audit.actors import SLUICE
from experiments.actions.promote import promote_by_hand
from experiments.actions.start import start
from routing.envoy import EXPLAIN_HEADER, FORCED_VARIANT_HEADER
from routing.models import Backend, Endpoint
from routing.publishing.newest_table import desired_table
from routing.resources.edit import edit
from tests.factories.drafts import backend, draft, endpoint
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import ModelServer, run_model_server
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

USERS = [f"user-{number}" for number in range(10)]
NOBODY = ""
GERMAN = {"x-country": "DE"}
PROMPTED = {"key": "better", "backend": "stable", "headers": {"x-prompt": "v2"}, "query": {"temperature": "0.2"}}


@pytest.fixture
def servers() -> Iterator[dict[str, ModelServer]]:
    """The backends of the endpoint `chat`, each a server that remembers what it was asked."""
    endpoint()
    Endpoint.objects.update(test_networks=["127.0.0.0/8"])
    with run_model_server("stable") as stable, run_model_server("candidate") as candidate:
        for server in (stable, candidate):
            backend(server.name)
            Backend.objects.filter(key=server.name).update(addresses=[server.address])
        yield {"stable": stable, "candidate": candidate}


def promote(**changes: Any) -> None:
    experiment = draft(**changes)
    start(experiment, actor=SLUICE)
    promote_by_hand(experiment, actor=SLUICE, reason="It is better.")


def ask(envoy: RunningEnvoy, unit: str = NOBODY, **headers: str) -> httpx.Response:
    named = {"x-user-id": unit} if unit else {}
    return httpx.post(f"{envoy.url}/chat", json={}, headers={**headers, **named, EXPLAIN_HEADER: "true"})


def set_of(server: ModelServer) -> tuple[str | None, bool]:
    """The header and whether the query parameter is there, of its last request."""
    return server.seen[-1].get("x-prompt"), "temperature=0.2" in server.paths[-1]


def test_a_promotion_of_headers_alone_reaches_every_user(servers: dict[str, ModelServer], tmp_path: Path) -> None:
    edit(Endpoint.objects.get().layer, {"holdout": 3_000}, actor=SLUICE)
    promote(candidates=[PROMPTED], traffic=50)

    with run_envoy(tmp_path, desired_table(version=1)) as envoy:
        for unit in (*USERS, NOBODY):
            answer = ask(envoy, unit)

            assert answer.json()["server"] == "stable"
            assert set_of(servers["stable"]) == ("v2", True)
            assert (answer.headers["x-sluice-headers"], answer.headers["x-sluice-query"]) == ("x-prompt", "temperature")


def test_a_promotion_for_an_audience_reaches_it_alone(servers: dict[str, ModelServer], tmp_path: Path) -> None:
    promote(key="german", audience=["x-country is DE"], candidates=[{**PROMPTED, "backend": "candidate"}])

    with run_envoy(tmp_path, desired_table(version=1)) as envoy:
        for unit in (*USERS, NOBODY):
            german, french = ask(envoy, unit, **GERMAN), ask(envoy, unit, **{"x-country": "FR"})

            assert (german.json()["server"], german.headers["x-sluice-rule"]) == ("candidate", "german")
            assert set_of(servers["candidate"]) == ("v2", True)
            assert (french.json()["server"], "x-sluice-rule" in french.headers) == ("stable", False)
            assert set_of(servers["stable"]) == (None, False)


def test_who_has_a_rule_is_measured_by_later_experiments(servers: dict[str, ModelServer], tmp_path: Path) -> None:
    promote(key="german", audience=["x-country is DE"], candidates=[{**PROMPTED, "backend": "candidate"}])
    later = draft("later", candidates=[{**PROMPTED, "headers": {"x-prompt": "v3"}, "query": {}}])
    start(later, actor=SLUICE)

    with run_envoy(tmp_path, desired_table(version=1)) as envoy:
        seen = set()
        for number in range(60):
            answer = ask(envoy, f"user-{number}", **GERMAN)
            facts = envoy.logged(answer.headers["x-request-id"])["facts"]
            seen.add((answer.json()["server"], facts.get("variant"), facts.get("rule")))
        forced = ask(envoy, "user-1", **{**GERMAN, FORCED_VARIANT_HEADER: "later/better"})

        assert seen == {
            ("candidate", None, "german"),
            ("stable", "control", None),
            ("stable", "better", None),
        }
        assert forced.json()["server"] == "stable"
        assert set_of(servers["stable"]) == ("v3", False)


def test_shadows_go_on_behind_what_was_promoted(servers: dict[str, ModelServer], tmp_path: Path) -> None:
    shadows = [{"name": "try", "backend": "candidate", "percent": 100}]
    edit(Endpoint.objects.get(), {"shadows": shadows}, actor=SLUICE)
    promote(key="german", audience=["x-country is DE"], candidates=[{**PROMPTED, "headers": {"x-prompt": "de"}}])
    promote(candidates=[PROMPTED])

    with run_envoy(tmp_path, desired_table(version=1)) as envoy:
        for headers, prompt in ((GERMAN, "de"), ({}, "v2")):
            before = len(servers["candidate"].seen)

            answer = ask(envoy, "ada", **headers)

            assert answer.json()["server"] == "stable"
            wait_until(lambda before=before: len(servers["candidate"].seen) > before)  # type: ignore[misc]
            assert set_of(servers["stable"]) == set_of(servers["candidate"]) == (prompt, True)
