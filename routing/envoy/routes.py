"""From a routing table to Envoy's routes.

Envoy looks for a route twice. The first finds the endpoint by its path, and with it where the unit is;
the second, made when the unit is known, finds the arm by the hash of salt and unit.
"""

import json
from collections.abc import Iterator

from routing.envoy.fields import UNIT_KEY, unit_rule, usage_rules
from routing.envoy.names import (
    ARM_FACTS,
    BODY_FIELDS,
    BODY_UNIT,
    FACTS,
    FORCED_VARIANT_HEADER,
    HTTP_FILTERS,
    RAW_UNIT,
    ROUTE_FACTS,
    ROUTES,
    SALTED_UNIT,
    TABLE_PATH,
    UNIT,
    Message,
)
from routing.table import Backend, Endpoint, Segment, Table, UnitSource, segments

NO_ENDPOINT = "No endpoint of this edge matches the path of this request."


def routes(table: Table) -> Message:
    """The discovery response with all routes; assumes a table without problems."""
    configuration = {
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        "name": ROUTES,
        "virtual_hosts": [{"name": ROUTES, "domains": ["*"], "routes": list(_routes(table))}],
    }
    return {"version_info": str(table.version), "resources": [configuration]}


def _routes(table: Table) -> Iterator[Message]:
    yield _served_table(table.version)
    backends = {backend.key: backend for backend in table.backends}
    for endpoint in sorted(table.endpoints, key=lambda endpoint: len(endpoint.path_prefix), reverse=True):
        yield from _EndpointRoutes(endpoint, backends, table.version).in_order()
    yield {
        "match": {"prefix": "/"},
        "direct_response": {"status": 404, "body": {"inline_string": NO_ENDPOINT}},
    }


def _served_table(version: int) -> Message:
    return {
        "match": {"path": TABLE_PATH},
        "direct_response": {"status": 200, "body": {"inline_string": json.dumps({"version": version})}},
        "response_headers_to_add": [
            {
                "header": {"key": "content-type", "value": "application/json"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ],
    }


class _EndpointRoutes:
    """The routes of one endpoint: QA's, those with a unit, the rest."""

    def __init__(self, endpoint: Endpoint, backends: dict[str, Backend], version: int) -> None:
        self._endpoint = endpoint
        self._backends = backends
        self._version = version

    def in_order(self) -> Iterator[Message]:
        for experiment in self._endpoint.experiments:
            for arm in experiment.arms:
                matcher = {"exact": f"{experiment.key}/{arm.variant}"}
                match = {"headers": [{"name": FORCED_VARIANT_HEADER, "string_match": matcher}]}
                yield self._route(match, arm.backend, forced=True)
        # A variant that is gone still is somebody's test: it must not be measured as a user.
        any_variant = {"headers": [{"name": FORCED_VARIANT_HEADER, "present_match": True}]}
        yield self._route(any_variant, self._endpoint.backend, forced=True)
        yield self._assigned_route()
        yield self._route({}, self._endpoint.backend, forced=False)

    def _assigned_route(self) -> Message:
        present = {"key": RAW_UNIT, "string_match": {"safe_regex": {"regex": r"\C+"}}}
        route = self._route({"filter_state": [present]}, self._endpoint.backend, forced=False)
        del route["route"]["cluster"]
        route["route"] |= {
            "weighted_clusters": {
                "clusters": [self._weighted(segment) for segment in segments(self._endpoint)],
                "use_hash_policy": True,
            },
            "hash_policy": [{"filter_state": {"key": SALTED_UNIT}}],
        }
        return route

    def _weighted(self, segment: Segment) -> Message:
        weighted: Message = {"name": segment.backend, "weight": segment.weight}
        if segment.experiment is not None:
            facts = {"experiment": segment.experiment, "variant": segment.variant, "stage": segment.stage}
            weighted["typed_per_filter_config"] = {
                ARM_FACTS: _facts({**facts, **_backend_facts(self._backends[segment.backend])})
            }
        return weighted

    def _route(self, match: Message, backend: str, *, forced: bool) -> Message:
        facts = {"endpoint": self._endpoint.key, "table_version": self._version, "forced": forced}
        return {
            "match": {**_path_match(self._endpoint.path_prefix), **match},
            "route": {"cluster": backend, **_limits(self._endpoint)},
            "typed_per_filter_config": {
                ROUTE_FACTS: _facts({**facts, **_backend_facts(self._backends[backend])}),
                UNIT: _unit_filter(self._endpoint),
                **self._body_filter(),
            },
        }

    def _body_filter(self) -> Message:
        """Read bodies only where they hold something: reading means that Envoy keeps them whole."""
        rules: Message = {}
        unit = self._endpoint.unit
        if unit.source is UnitSource.BODY:
            rules["request_rules"] = {"rules": [unit_rule(unit.name)]}
        if any(self._backends[segment.backend].protocol == "openai" for segment in segments(self._endpoint)):
            rules["response_rules"] = {"rules": usage_rules()}
        kind = f"{HTTP_FILTERS}.json_to_metadata.v3.JsonToMetadata"
        return {BODY_FIELDS: {"@type": kind, **rules}} if rules else {}


def _path_match(prefix: str) -> Message:
    """`/chat` is for `/chat` and `/chat/…`, not for `/chatter`."""
    return {"prefix": prefix} if prefix.endswith("/") else {"path_separated_prefix": prefix}


def _limits(endpoint: Endpoint) -> Message:
    """One retry, and only while the backend cannot have seen the request."""
    seconds = f"{endpoint.timeout_seconds}s"
    return {
        "timeout": seconds,
        "idle_timeout": seconds,
        "auto_host_rewrite": True,
        "retry_policy": {
            "retry_on": "connect-failure,refused-stream,reset-before-request",
            "num_retries": 1,
            "retry_host_predicate": [
                {
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3"
                        ".PreviousHostsPredicate"
                    },
                }
            ],
            "host_selection_retry_max_attempts": 3,
        },
    }


def _backend_facts(backend: Backend) -> Message:
    """The prices too: a cost is then right whatever the table says by the time it is computed."""
    return {
        "backend": backend.key,
        "prompt_price": backend.prompt_price,
        "completion_price": backend.completion_price,
    }


def _facts(facts: Message) -> Message:
    """What the access log is to say of a request, kept as its metadata."""
    metadata = {"metadata_namespace": FACTS, "value": facts, "allow_overwrite": True}
    return {"@type": f"{HTTP_FILTERS}.set_metadata.v3.Config", "metadata": [metadata]}


def _unit_filter(endpoint: Endpoint) -> Message:
    source = (
        f"%REQ({endpoint.unit.name})%"
        if endpoint.unit.source is UnitSource.HEADER
        else f"%DYNAMIC_METADATA({BODY_UNIT}:{UNIT_KEY})%"
    )
    salt = endpoint.salt.replace("%", "%%")
    return {
        "@type": f"{HTTP_FILTERS}.set_filter_state.v3.Config",
        "on_request_headers": [
            _state(RAW_UNIT, "envoy.string", source),
            _state(SALTED_UNIT, "envoy.hashable_string", f"{salt}:{source}"),
        ],
    }


def _state(key: str, factory: str, text: str) -> Message:
    return {
        "object_key": key,
        "factory_key": factory,
        "format_string": {"text_format_source": {"inline_string": text}, "omit_empty_values": True},
        "skip_if_empty": True,
    }
