"""How busy backends are reaches the heartbeat."""

import json
from pathlib import Path

import pytest
from redis import Redis

from routing.edge.envoy.configuration import write_configuration
from routing.edge.envoy.envoy_admin import EnvoyAdmin
from routing.edge.report.loads import Loads
from routing.edge.state.files import EdgeDirectory, write_text
from routing.edge.state.kept_cuts import Cuts
from routing.edge.state.status import EdgeStatus
from routing.edge.table.applier import Applier
from routing.table import to_json
from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.routing.edge.edges import heartbeat, publish, run_edge
from tests.servers.model_servers import ModelServer
from tests.servers.processes import RunningValkey
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def test_an_edge_tells_what_its_backends_publish(
    tmp_path: Path, valkey: RunningValkey, redis: Redis, stable: ModelServer
) -> None:
    backends = (make_backend("stable", stable.address, protocol="vllm"), make_backend("plain", stable.address))
    with run_edge(tmp_path, valkey.url) as edge:
        publish(redis, make_table(make_endpoint(), backends=backends))
        edge.wait_for_table(1)
        told = wait_until(lambda: json.loads(heartbeat(redis).get("loads", "{}")))

    assert told == {"stable": {"waiting": 3.0, "running": None, "cache_used": 0.25}}


def asked(folder: Path, address: str) -> str:
    """What an edge with one backend tells after it asked once."""
    directory = EdgeDirectory(folder)
    table = make_table(make_endpoint(), backends=(make_backend("stable", address, protocol="vllm"),))
    write_text(directory.table, to_json(table))
    write_configuration(directory, table)
    status = EdgeStatus()
    Loads(Applier(directory, EnvoyAdmin("127.0.0.1", 1, directory.admin), Cuts(directory.cuts)), status).step()
    return status.loads


def test_nobody_sends_an_edge_elsewhere(tmp_path: Path, stable: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a backend, by a redirect, nor a proxy of the machine's own."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert "waiting" in asked(tmp_path, stable.address)
    monkeypatch.setattr(stable, "redirect", f"{stable.address}/elsewhere")
    assert asked(tmp_path, stable.address) == "{}"
    assert "/elsewhere" not in stable.paths


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://nowhere.invalid:80"])
def test_a_backend_that_does_not_answer_is_left_out(tmp_path: Path, address: str) -> None:
    assert asked(tmp_path, address) == "{}"
