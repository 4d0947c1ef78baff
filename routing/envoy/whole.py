"""Envoy's configuration of a table in one piece, to see whether Envoy takes it."""

from dataclasses import fields

from routing.envoy.bootstrap import bootstrap
from routing.envoy.clusters import clusters
from routing.envoy.gate import gate_discoveries
from routing.envoy.listener import Files
from routing.envoy.names import Message
from routing.envoy.routes import routes
from routing.envoy.shadows import shadow_routes
from routing.table import Table

NOWHERE = "/dev/null"


def whole(table: Table, *, certificates: str = "") -> Message:
    """A configuration that says the same as an edge's files; assumes a table without problems.

    It leaves out what Envoy answers by itself, which is the same whatever the table says and much to read.
    """
    files = Files(*(NOWHERE for _ in fields(Files)))
    content = bootstrap(name="check", host="127.0.0.1", port=1, files=files)
    del content["dynamic_resources"], content["application_log_config"]
    resources = content["static_resources"]
    resources["clusters"] = clusters(table, certificates=certificates)["resources"]
    for resource in resources["clusters"]:
        del resource["@type"]
    gate = {name: response["resources"][0] for name, response in gate_discoveries(table).items()}
    for listener, routed in zip(resources["listeners"], (routes(table), shadow_routes(table)), strict=True):
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        del manager["rds"]
        manager.pop("local_reply_config", None)
        [manager["route_config"]] = routed["resources"]
        del manager["route_config"]["@type"]
        manager["http_filters"] = [_inline(filter_, gate) for filter_ in manager["http_filters"]]
    return content


def _inline(filter_: Message, gate: dict[str, Message]) -> Message:
    found = gate.get(filter_["name"])
    return {"name": found["name"], "typed_config": found["typed_config"]} if found else filter_
