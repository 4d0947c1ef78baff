"""Who may force a variant and be explained to: a filter that looks at requests which ask for that, and at no others."""

from importlib.resources import files
from ipaddress import ip_network

from routing.envoy.gate.keys import SHA256
from routing.envoy.lists import present
from routing.envoy.names import EXPLAIN_HEADER, FORCED_VARIANT_HEADER, HTTP_FILTERS, TESTERS, Message
from routing.envoy.skipping import skipped_where
from routing.table import Endpoint

SCRIPT = files("routing.envoy.testers").joinpath("testers.lua").read_text(encoding="utf-8")

ASKED = {"or_matcher": {"predicate": [present(FORCED_VARIANT_HEADER), present(EXPLAIN_HEADER)]}}


def testers_gate() -> Message:
    """The filter of the chain. Whoever asks for nothing that is for testers pays for a look at two headers."""
    script = {"inline_string": f"{SHA256}\n{SCRIPT}"}
    options = {"@type": f"{HTTP_FILTERS}.lua.v3.Lua", "default_source_code": script}
    return skipped_where({"not_matcher": ASKED}, TESTERS, options)


def testers_place(endpoint: Endpoint) -> Message:
    """What the metadata of an endpoint's routes says of its testers; the script does nothing on other routes."""
    testers = endpoint.testers
    digests = {key.digest: key.client for key in testers.keys}
    return {TESTERS: {"digests": digests, "networks": [as_bits(network) for network in testers.networks]}}


def as_bits(network: str) -> str:
    """The version of a network and the bits that its addresses begin with.

    >>> as_bits("10.0.0.0/8"), as_bits("fe80::/10")
    ('400001010', '61111111010')
    """
    found = ip_network(network)
    return f"{found.version}{int(found.network_address):0{found.max_prefixlen}b}"[: found.prefixlen + 1]
