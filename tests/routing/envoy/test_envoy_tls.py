"""Users who come by TLS, and hosts that are left out because nothing is behind them."""

import ssl
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import trustme

from controlplane.settings import Environment
from routing.edge.envoy.envoy_admin import EnvoyAdmin
from routing.envoy import Certificate
from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.servers.envoys import run_envoy
from tests.servers.model_servers import run_model_server
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def test_users_come_by_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    own = authority.issue_cert("localhost")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    own.cert_chain_pems[0].write_to_path(str(chain))
    own.private_key_pem.write_to_path(str(key))
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)

    with run_model_server("stable") as stable:
        table = make_table(make_endpoint(), backends=(make_backend("stable", stable.address),))
        certificate = Certificate(str(chain), str(key))
        with run_envoy(tmp_path / "edge", table, certificate=certificate) as envoy:
            response = httpx.post(f"https://localhost:{envoy.port}/chat", json={}, verify=trusted)
            untrusted = httpx.Client(verify=ssl.create_default_context())
            with untrusted, pytest.raises(httpx.ConnectError):
                untrusted.post(f"https://localhost:{envoy.port}/chat", json={})
            with pytest.raises(httpx.HTTPError):
                httpx.post(f"http://localhost:{envoy.port}/chat", json={})
            served = EnvoyAdmin("127.0.0.1", envoy.port, envoy.directory.admin, secure=True).served()

    assert response.json()["server"] == "stable"
    assert served.version == 1


def test_a_certificate_without_its_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_EDGE_CERTIFICATE", "/chain.pem")

    with pytest.raises(ValueError, match="both SLUICE_EDGE_CERTIFICATE and SLUICE_EDGE_PRIVATE_KEY"):
        Environment()  # type: ignore[call-arg,unused-ignore]


def test_a_host_with_nothing_behind_it_is_left_out_though_it_calls_itself_healthy(tmp_path: Path) -> None:
    with run_model_server("sound") as sound, run_model_server("hollow") as hollow:
        both = replace(make_backend("stable"), addresses=(sound.address, hollow.address))
        hollow.status = 503
        with run_envoy(tmp_path, make_table(make_endpoint(), backends=(both,))) as envoy:

            def fails_five_times() -> bool:
                statuses.append(httpx.post(f"{envoy.url}/chat", json={}).status_code)
                return len(hollow.seen) == 5

            statuses: list[int] = []
            wait_until(fails_five_times)
            wait_until(lambda: envoy.flags("stable") == {sound.port: set(), hollow.port: {"failed_outlier_check"}})
            checked = hollow.health_checks
            wait_until(lambda: hollow.health_checks > checked + 2)
            later = [httpx.post(f"{envoy.url}/chat", json={}).status_code for _ in range(50)]

    assert statuses.count(503) == len(hollow.seen) == 5
    assert later == [200] * 50
