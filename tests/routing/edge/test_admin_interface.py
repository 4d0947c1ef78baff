"""No request and no other account reaches Envoy's admin interface, which tells every secret and ends it when asked."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.routing.edge.edges import RunningEdge, run_edge
from tests.servers.processes import RunningValkey

pytestmark = pytest.mark.slow

LISTENING = "0A"


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory, valkey: RunningValkey) -> Iterator[RunningEdge]:
    with run_edge(tmp_path_factory.mktemp("admin"), valkey.url) as running:
        yield running


def listening_ports(process_id: int) -> set[int]:
    """The TCP ports of IPv4 and IPv6 that a process takes connections at, as Linux tells them."""
    links = Path(f"/proc/{process_id}/fd").iterdir()
    opened = {str(link.readlink()).removeprefix("socket:[").removesuffix("]") for link in links}
    tables = [Path(f"/proc/{process_id}/net/{name}") for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == LISTENING and row[9] in opened}


def test_envoy_listens_at_no_port_but_the_users(edge: RunningEdge) -> None:
    assert edge.envoy is not None
    assert listening_ports(edge.envoy.pid) == {edge.port}


def test_its_admin_interface_is_the_owners_alone(edge: RunningEdge) -> None:
    assert '"state": "LIVE"' in edge.admin("/server_info")
    found = edge.directory.admin.lstat()
    assert stat.S_ISSOCK(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o600
