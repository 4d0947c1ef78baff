"""From a routing table to Envoy's routes.

Envoy looks for a route up to three times. The first finds the endpoint by its path and headers, and with it where
the unit is. Where the model decides too, the first look finds what to read, and the second, made when that was
read, the endpoint. The last look, made when the unit is known, finds the arm by the hash of salt and unit.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby

from routing.envoy.actions import answer_headers, body_limit_filter, mirrors, route_action
from routing.envoy.arms import assignment, parameter_filter, segment_filters
from routing.envoy.explanation import EXPLAINED
from routing.envoy.facts import endpoint_facts, parameter_facts, set_facts
from routing.envoy.fields import address_filter, body_filter, model_paths, reads_answers, reads_requests
from routing.envoy.gate import key_filter, retry_filter, shown_limits, token_filter
from routing.envoy.lists import by_method, by_presence
from routing.envoy.matches import (
    address_match,
    after_reading,
    closeness,
    encoded_match,
    header_matcher,
    join,
    model_match,
    path_match,
    present_state,
    tier_match,
)
from routing.envoy.names import (
    BODY_READ,
    FORCED_VARIANT_HEADER,
    HTTP_FILTERS,
    KEYS,
    MODEL_FACTS,
    RAW_UNIT,
    READ,
    ROUTE_FACTS,
    ROUTES,
    SHADOW_HEADER,
    TABLE_PATH,
    TEST_KEY_HEADER,
    TOKENS,
    Message,
)
from routing.envoy.notes import MODEL_DECIDES, metadata, notes
from routing.envoy.preliminary import (
    CREDENTIALS,
    HEAD,
    OPTIONS,
    TRACE,
    bodiless,
    preflights,
    trace_refusal,
    without_model,
)
from routing.envoy.testers import testers_place
from routing.envoy.units import unit_filters, unit_place
from routing.table import Arm, Backend, Condition, Endpoint, Rule, Table, combined, segments, untaken

_GroupRoutes = Callable[[Message, list[Endpoint], dict[str, Backend], int], Iterator[Message]]

NOT_FOUND = {"direct_response": {"status": 404}}
NOTHING: Message = {}
# Compressed answers could not be read.
UNCOMPRESSED = {
    "header": {"key": "accept-encoding", "value": "identity"},
    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
}
# The header that asks for an explanation stays: it is looked at again when the answer comes.
INTERNAL_HEADERS = [FORCED_VARIANT_HEADER, SHADOW_HEADER, TEST_KEY_HEADER]


def routes(table: Table) -> Message:
    """The discovery response with all routes; assumes a table without problems."""
    configuration = {
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        "name": ROUTES,
        "virtual_hosts": [{"name": ROUTES, "domains": ["*"], "matcher": _by_method(table)}],
        # Who asks is told by the edge; a backend that tells it too would tell everybody.
        "response_headers_to_remove": [f"x-sluice-{name}" for name in EXPLAINED],
        "request_headers_to_remove": INTERNAL_HEADERS,
    }
    return {"version_info": _version(table), "resources": [configuration]}


def _version(table: Table) -> str:
    return " without ".join([str(table.version), *table.cut])


def _by_method(table: Table) -> Message:
    """Routes of their own for what asks no model anything, and for QA's, so that nothing else is held against them."""
    preliminary = list(_routes(table, _preliminary_routes))
    apart = {
        HEAD: preliminary,
        OPTIONS: [*_preflight_routes(table), *preliminary],
        TRACE: [trace_refusal()],
    }
    forced, others = (
        list(_routes(table, partial(_asking_routes, of_endpoint=own)))
        for own in (_EndpointRoutes.forced, _EndpointRoutes.in_order)
    )
    return by_method(apart, otherwise=by_presence(FORCED_VARIANT_HEADER, forced, otherwise=others))


def _routes(table: Table, of_group: _GroupRoutes) -> Iterator[Message]:
    yield _served_table(table)
    backends = {backend.key: backend for backend in table.backends}
    in_order = sorted(table.endpoints, key=_specificity, reverse=True)
    for address, group in groupby(in_order, key=address_match):
        yield from of_group(address, list(group), backends, table.version)
    yield {"match": {"prefix": "/"}, **NOT_FOUND}


def _specificity(endpoint: Endpoint) -> tuple[object, ...]:
    """What is matched more closely comes first; those that differ in the model alone stand together."""
    return (*closeness(endpoint), json.dumps(address_match(endpoint)), bool(endpoint.models), endpoint.key)


def _asking_routes(
    address: Message,
    group: list[Endpoint],
    backends: dict[str, Backend],
    version: int,
    *,
    of_endpoint: "Callable[[_EndpointRoutes], Iterator[Message]]",
) -> Iterator[Message]:
    """The routes of endpoints that differ in the model alone."""
    by_model = any(endpoint.models for endpoint in group)
    if reads_requests(group):
        yield _compressed_route(address, group, backends, version)
    for endpoint in group:
        match = join(address, model_match(endpoint)) if by_model else address
        yield from of_endpoint(_EndpointRoutes(endpoint, match, backends, version))
    if by_model:
        known = join(address, after_reading())
        yield {"match": known, **NOT_FOUND, **metadata(notes(group[0], backends, **MODEL_DECIDES))}
        yield from _reading_routes(address, group, backends)


def _preliminary_routes(
    address: Message, group: list[Endpoint], backends: dict[str, Backend], version: int
) -> Iterator[Message]:
    """The same for what asks the model nothing; who names none belongs to one of the endpoints all the same."""
    by_model = any(endpoint.models for endpoint in group)
    for endpoint in group:
        match = join(address, model_match(endpoint)) if by_model else address
        yield _EndpointRoutes(endpoint, match, backends, version).preliminary()
    if by_model:
        known = join(address, after_reading())
        yield _EndpointRoutes(without_model(group), known, backends, version).preliminary()
        yield from _reading_routes(address, group, backends)


def _preflight_routes(table: Table) -> Iterator[Message]:
    backends = {backend.key: backend for backend in table.backends}
    for match, endpoint in preflights(table.endpoints):
        yield _EndpointRoutes(bodiless(endpoint), match, backends, table.version).preflight()


def _reading_routes(address: Message, group: list[Endpoint], backends: dict[str, Backend]) -> Iterator[Message]:
    """The route that has a request read; one of its own for paths that name the model, which costs much to take out."""
    paths = model_paths(group, backends)
    if paths:
        model = address_filter(group, backends, models=paths)
        yield _reading_route(join(address, path_match(paths)), group, backends, model)
    yield _reading_route(address, group, backends, address_filter(group, backends))


def _reading_route(
    address: Message, group: list[Endpoint], backends: dict[str, Backend], address_fields: Message
) -> Message:
    """Has the body read, and then another route looked for."""
    state = {
        "object_key": BODY_READ,
        "factory_key": "envoy.string",
        "format_string": {"text_format_source": {"inline_string": "yes"}},
    }
    read = {
        "@type": f"{HTTP_FILTERS}.set_filter_state.v3.Config",
        "on_request_headers": [state],
        "clear_route_cache": True,
    }
    return {
        "match": address,
        **NOT_FOUND,
        "typed_per_filter_config": {
            **address_fields,
            **body_limit_filter(group[0]),
            **body_filter(group, backends),
            **retry_filter(group),
            READ: read,
        },
        **metadata(notes(group[0], backends, **MODEL_DECIDES)),
    }


def _compressed_route(address: Message, group: list[Endpoint], backends: dict[str, Backend], version: int) -> Message:
    """Refuses what cannot be read; it is logged as the endpoint's where there is one alone."""
    facts = {**endpoint_facts(group[0], version), "backend": group[0].backend}
    return {
        "match": join(address, encoded_match()),
        "direct_response": {"status": 415},
        **({"typed_per_filter_config": {ROUTE_FACTS: set_facts(facts)}} if len(group) == 1 else {}),
        **metadata(notes(group[0], backends)),
    }


def _served_table(table: Table) -> Message:
    served = json.dumps({"version": table.version, "cut": table.cut})
    return {
        "match": {"path": TABLE_PATH},
        "direct_response": {"status": 200, "body": {"inline_string": served}},
        "response_headers_to_add": [
            {
                "header": {"key": "content-type", "value": "application/json"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ],
    }


class _EndpointRoutes:
    """The routes of one endpoint: QA's, and the others': the tiers', those under each rule, the rest."""

    def __init__(self, endpoint: Endpoint, match: Message, backends: dict[str, Backend], version: int) -> None:
        self._endpoint = endpoint
        self._match = match
        self._action = route_action(endpoint)
        self._notes = {**notes(endpoint, backends), **testers_place(endpoint)}
        self._facts = endpoint_facts(endpoint, version)
        self._uncompressed = {"request_headers_to_add": [UNCOMPRESSED]} if reads_answers(endpoint, backends) else {}
        # A request whose model decides is no endpoint's until it was read; any other is from the start.
        self._facts_filter = MODEL_FACTS if "filter_state" in match or "dynamic_metadata" in match else ROUTE_FACTS
        self._gate = {
            **body_limit_filter(endpoint),
            **token_filter(endpoint),
            **key_filter(endpoint),
            **retry_filter([endpoint]),
        }
        self._common = {
            **address_filter([endpoint], backends),
            **body_filter([endpoint], backends),
            **unit_filters(endpoint),
            **self._gate,
        }

    def preflight(self) -> Message:
        """The route of preflights, which pass the gate without what opens it to others."""
        filters = {name: options for name, options in self._gate.items() if name not in (TOKENS, KEYS)}
        hidden = {"request_headers_to_remove": list(CREDENTIALS)} if self._endpoint.access else {}
        return {"match": self._match, **self._unmeasured(filters), **hidden}

    def preliminary(self) -> Message:
        """The route of other requests that ask the model nothing."""
        return {"match": self._match, **self._unmeasured(self._gate)}

    def in_order(self) -> Iterator[Message]:
        """The routes of who forces no variant."""
        for tier in self._endpoint.tiers:
            yield self._route(tier_match(tier), tier.backend, {"tier": tier.key})
        for rule in (*self._endpoint.rules, None):
            yield from self._routes_under(rule)

    def _unmeasured(self, filters: Message) -> Message:
        """A route to the endpoint's own backend that looks for no unit."""
        facts = set_facts({**self._facts, "backend": self._endpoint.backend})
        return {
            "route": {**self._action, "cluster": self._endpoint.backend},
            "typed_per_filter_config": {self._facts_filter: facts, **filters},
            **shown_limits(self._endpoint),
            **metadata(self._notes),
        }

    def forced(self) -> Iterator[Message]:
        """The routes of who forces one."""
        for experiment in self._endpoint.experiments:
            for arm in experiment.arms:
                matcher = {"exact": f"{experiment.key}/{arm.variant}"}
                yield self._forced_route({"string_match": matcher}, arm)
        # A variant that is gone still is somebody's test: it must not be measured as a user.
        yield self._forced_route({"present_match": True}, self._endpoint)

    def _forced_route(self, matcher: Message, target: Arm | Endpoint) -> Message:
        match = {"headers": [{"name": FORCED_VARIANT_HEADER, **matcher}]}
        facts = {"forced": True, **parameter_facts(target.parameters)}
        return self._route(match, target.backend, facts, filters=parameter_filter(target.parameters))

    def _routes_under(self, rule: Rule | None) -> Iterator[Message]:
        """Those with a unit, by the experiments that they may be in, then those without."""
        free = untaken(self._endpoint, rule)
        met = _meeting(rule.conditions if rule else ())
        for conditions, experiments in combined(self._endpoint):
            known = {"filter_state": [present_state(RAW_UNIT)]}
            route = self._route(join(known, met, _meeting(conditions)), free.backend, {}, mirrored=True)
            del route["route"]["cluster"]
            route["route"] |= assignment(segments(self._endpoint, experiments, rule))
            yield route
        yield self._route(met, free.backend, {}, filters=segment_filters(free), mirrored=True)

    def _route(
        self, match: Message, backend: str, facts: Message, *, filters: Message = NOTHING, mirrored: bool = False
    ) -> Message:
        action = {**self._action, "cluster": backend, **(mirrors(self._endpoint) if mirrored else {})}
        return {
            "match": join(self._match, match),
            "route": action,
            "typed_per_filter_config": {
                self._facts_filter: set_facts({**self._facts, **facts, "backend": backend}),
                **self._common,
                **filters,
            },
            **self._uncompressed,
            **answer_headers(self._endpoint),
            **metadata(unit_place(self._endpoint), self._notes),
        }


def _meeting(conditions: Iterable[Condition]) -> Message:
    return {"headers": [header_matcher(condition) for condition in conditions]}
