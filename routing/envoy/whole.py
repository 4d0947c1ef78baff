"""Envoy's configuration of a table in one piece, to see whether Envoy takes it."""

from routing.envoy.bootstrap import Files, bootstrap
from routing.envoy.clusters import clusters
from routing.envoy.names import Message
from routing.envoy.routes import routes
from routing.envoy.shadows import shadow_routes
from routing.table import Table

NOWHERE = "/dev/null"


def whole(table: Table, *, certificates: str = "") -> Message:
    """A configuration that says the same as an edge's files; assumes a table without problems."""
    files = Files(clusters=NOWHERE, routes=NOWHERE, shadows=NOWHERE, access_log=NOWHERE)
    content = bootstrap(name="check", host="127.0.0.1", port=1, admin_port=1, files=files)
    del content["dynamic_resources"], content["application_log_config"]
    resources = content["static_resources"]
    resources["clusters"] = clusters(table, certificates=certificates)["resources"]
    for resource in resources["clusters"]:
        del resource["@type"]
    for listener, routed in zip(resources["listeners"], (routes(table), shadow_routes(table)), strict=True):
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        del manager["rds"]
        [manager["route_config"]] = routed["resources"]
        del manager["route_config"]["@type"]
    return content
