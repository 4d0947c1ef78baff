"""What users see and the log says when a backend fails, is slow, or is not there."""

import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from routing.table import Arm, Backend, Table
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import run_model_server
from tests.servers.processes import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

EVERYBODY = {"x-user-id": "alice"}


def table_of(backend: Backend, **endpoint: Any) -> Table:
    """Every unit is measured on this one backend."""
    arm = Arm("new", backend.key, 0, 10_000)
    experiment = make_experiment("new-model", arm, stage=1)
    return make_table(make_endpoint("chat", experiment, backend=backend.key, **endpoint), backends=(backend,))


def ask(envoy: RunningEnvoy, **body: Any) -> tuple[httpx.Response, dict[str, Any]]:
    response = httpx.post(f"{envoy.url}/chat", json=body, headers=EVERYBODY)
    return response, envoy.logged(response.headers["x-request-id"])


def assert_measured(line: dict[str, Any], backend: str) -> None:
    facts = line["facts"]
    assert (facts["experiment"], facts["variant"], facts["stage"]) == ("new-model", "new", 1)
    assert (facts["backend"], line["unit"]) == (backend, "alice")


def test_a_dead_backend(tmp_path: Path) -> None:
    with run_envoy(tmp_path, table_of(make_backend("dead", f"http://127.0.0.1:{free_port()}"))) as envoy:
        response, line = ask(envoy)

    assert response.status_code == line["status"] == 503
    assert response.json()["code"] == "backend-unavailable"
    assert response.headers["content-type"] == "application/problem+json"
    assert "UF" in line["flags"].split(",")
    assert_measured(line, "dead")


def test_a_backend_without_any_host(tmp_path: Path) -> None:
    with run_envoy(tmp_path, table_of(make_backend("nowhere", "http://nowhere.invalid:80"))) as envoy:
        response, line = ask(envoy)

    assert response.status_code == line["status"] == 503
    assert line["flags"] == "UH"
    assert_measured(line, "nowhere")


def test_a_backend_that_takes_longer_than_the_endpoint_allows(tmp_path: Path) -> None:
    with run_model_server("slow") as server:
        table = table_of(make_backend("slow", server.address), timeout_seconds=1)
        with run_envoy(tmp_path, table) as envoy:
            response, line = ask(envoy, wait=60)

    assert response.status_code == line["status"] == 504
    assert response.json()["code"] == "backend-timeout"
    assert line["flags"] == "UT"
    assert_measured(line, "slow")


def test_a_time_limit_of_zero_is_none(tmp_path: Path) -> None:
    with run_model_server("slow") as server:
        table = table_of(make_backend("slow", server.address), timeout_seconds=0)
        with run_envoy(tmp_path, table) as envoy:
            response, _ = ask(envoy, wait=2)

    assert response.status_code == 200


def test_an_error_of_the_backend_is_passed_on_as_it_is(tmp_path: Path) -> None:
    with run_model_server("broken") as server, run_envoy(tmp_path, table_of(backend_of(server.address))) as envoy:
        response, line = ask(envoy, status=503)

        assert len(server.seen) == 1
    assert response.json()["server"] == "broken"
    assert (line["status"], line["flags"]) == (503, "-")


def test_a_client_that_goes_away_is_told_apart(tmp_path: Path) -> None:
    with run_model_server("slow") as server, run_envoy(tmp_path, table_of(backend_of(server.address))) as envoy:
        with closing(HTTPConnection("127.0.0.1", envoy.port)) as client:
            client.request("POST", "/chat", '{"wait": 60}', EVERYBODY)
            wait_until(lambda: server.seen)
            stays = time.monotonic()
            ask(envoy, wait=0.2)
            waited_ms = (time.monotonic() - stays) * 1000

        line = next(line for line in envoy.log_lines(2) if line["status"] != 200)
    assert (line["status"], line["flags"]) == (0, "DC")
    assert line["duration_ms"] >= waited_ms - 1
    assert_measured(line, "only")


def test_the_only_backend_serves_also_when_it_says_that_it_is_not_healthy(tmp_path: Path) -> None:
    with run_model_server("sick") as server:
        server.healthy = False
        with run_envoy(tmp_path, table_of(backend_of(server.address))) as envoy:
            response, _ = ask(envoy)

    assert response.json()["server"] == "sick"


def test_users_do_not_notice_when_one_of_two_addresses_is_dead(tmp_path: Path) -> None:
    with run_model_server("alive") as server:
        backend = replace(backend_of(server.address), addresses=(server.address, f"http://127.0.0.1:{free_port()}"))
        with run_envoy(tmp_path, table_of(backend)) as envoy:
            statuses = [ask(envoy)[0].status_code for _ in range(20)]

    assert statuses == [200] * 20


def test_a_name_is_resolved_and_sent_as_the_host(tmp_path: Path) -> None:
    with run_model_server("named", host="localhost") as server:
        with run_envoy(tmp_path, table_of(backend_of(server.address))) as envoy:
            ask(envoy)

        assert server.seen[-1]["host"] == "localhost"


@contextmanager
def run_secure_server(folder: Path, host: str) -> Iterator[tuple[str, str]]:
    """A backend with https; yields its address and the file of the authority that signed it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    certificates = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(certificates))
    with run_model_server("secure", host="localhost", tls=context) as server:
        yield server.address, str(certificates)


def test_a_backend_with_https_is_checked_and_served(tmp_path: Path) -> None:
    with (
        run_secure_server(tmp_path, "localhost") as (address, certificates),
        run_envoy(tmp_path / "edge", table_of(backend_of(address)), certificates=certificates) as envoy,
    ):
        response, _ = ask(envoy)

    assert response.json()["server"] == "secure"


def test_a_backend_that_shows_the_certificate_of_another_is_refused(tmp_path: Path) -> None:
    with (
        run_secure_server(tmp_path, "elsewhere") as (address, certificates),
        run_envoy(tmp_path / "edge", table_of(backend_of(address)), certificates=certificates) as envoy,
    ):
        response, line = ask(envoy)

    assert response.status_code == 503
    assert_measured(line, "only")


def backend_of(address: str) -> Backend:
    return make_backend("only", address)
