"""Which addresses are in a network of testers, held against Python's own `ipaddress`."""

import random
import socket
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

import httpx
import pytest

from routing.edge.envoy.envoy_process import envoy_command
from routing.edge.state.files import EdgeDirectory, write_json
from routing.envoy.names import HTTP_FILTERS
from routing.envoy.testers import SCRIPT, as_bits
from tests.servers.processes import free_port, stopping
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
# Answers with each address of a header as the script writes it.
ASKED = """
function envoy_on_request(handle)
  local found = {}
  for address in handle:headers():get("x-addresses"):gmatch("%S+") do
    found[#found + 1] = written_as_network(address)
  end
  handle:respond({[":status"] = "200"}, table.concat(found, " "))
end
"""
CHANCE = random.Random(11)
RANDOM = [IPv4Address(CHANCE.getrandbits(32)) for _ in range(60)] + [
    IPv6Address(CHANCE.getrandbits(128) & ~(((1 << CHANCE.randrange(128)) - 1) << CHANCE.randrange(64)))
    for _ in range(120)
]
CHOSEN = ["::", "::1", "1::", "::ffff:10.1.2.3", "fe80::1", "2001:db8:0:1:2:3:4:5", "1:0:2:3:4:5:6:7", "f::8:0:0"]
ADDRESSES = [*RANDOM, IPv4Address("0.0.0.0"), IPv4Address("255.255.255.255"), *map(IPv6Address, CHOSEN)]  # noqa: S104
NETWORKS = ["0.0.0.0/0", "::/0", "10.0.0.0/8", "128.0.0.0/1", "::ffff:10.0.0.0/104", "::1/128", "8000::/1", "fe80::/10"]


def configuration(port: int) -> dict[str, Any]:
    script = {"inline_string": SCRIPT + ASKED}
    lua = {"@type": f"{HTTP_FILTERS}.lua.v3.Lua", "default_source_code": script}
    router = {"@type": f"{HTTP_FILTERS}.router.v3.Router"}
    host = {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 404}}]}
    manager = {
        "@type": f"type.googleapis.com/{MANAGER}",
        "stat_prefix": "test",
        "route_config": {"virtual_hosts": [host]},
        "http_filters": [{"name": "lua", "typed_config": lua}, {"name": "router", "typed_config": router}],
    }
    listener = {
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "manager", "typed_config": manager}]}],
    }
    return {"static_resources": {"listeners": [listener]}}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    edge, port = EdgeDirectory(tmp_path_factory.mktemp("edge")), free_port()
    write_json(edge.bootstrap, configuration(port))
    with stopping(subprocess.Popen(envoy_command(edge))):
        wait_until(lambda: is_there(port))
        yield f"http://127.0.0.1:{port}"


def is_there(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def as_envoy_writes(address: IPv4Address | IPv6Address) -> str:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    text = socket.inet_ntop(family, address.packed)
    return f"{text}:80" if address.version == 4 else f"[{text}]:80"


def test_an_address_is_in_the_networks_that_it_begins_like(url: str) -> None:
    sent = " ".join(map(as_envoy_writes, ADDRESSES))
    written = httpx.get(url, headers={"x-addresses": sent}).text.split()

    assert len(written) == len(ADDRESSES)
    for address, found in zip(ADDRESSES, written, strict=True):
        networks = {network for network in NETWORKS if address in ip_network(network)}
        assert {network for network in NETWORKS if found.startswith(as_bits(network))} == networks
        assert found == as_bits(str(address))
