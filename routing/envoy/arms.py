"""From the segments of an endpoint to Envoy's weighted clusters."""

from collections.abc import Iterable
from dataclasses import replace

from routing.envoy.facts import segment_facts, set_facts
from routing.envoy.names import ARM_FACTS, HTTP_FILTERS, PARAMETERS, SALTED_UNIT, Message
from routing.table import Parameters, Segment


def assignment(parts: Iterable[Segment]) -> Message:
    """The part of a route's action that finds the segment by the hash of salt and unit."""
    return {
        "weighted_clusters": {"clusters": [_weighted(part) for part in parts], "use_hash_policy": True},
        "hash_policy": [{"filter_state": {"key": SALTED_UNIT}}],
    }


def segment_filters(segment: Segment) -> Message:
    """What is noted and what is set of the requests of a segment; nothing where it is the endpoint's bare backend."""
    bare = replace(segment, weight=0) == Segment(0, segment.backend)
    return {} if bare else {ARM_FACTS: set_facts(segment_facts(segment)), **parameter_filter(segment.parameters)}


def parameter_filter(parameters: Parameters) -> Message:
    """What sets headers and query parameters; nothing where there are none."""
    if parameters == Parameters():
        return {}
    mutations = {
        "request_mutations": [{"append": _header(name, value)} for name, value in parameters.headers],
        "query_parameter_mutations": [{"append": _query(name, value)} for name, value in parameters.query],
    }
    kind = f"{HTTP_FILTERS}.header_mutation.v3.HeaderMutationPerRoute"
    return {PARAMETERS: {"@type": kind, "mutations": mutations}}


def _weighted(segment: Segment) -> Message:
    filters = segment_filters(segment)
    return {
        "name": segment.backend,
        "weight": segment.weight,
        **({"typed_per_filter_config": filters} if filters else {}),
    }


def _header(name: str, value: str) -> Message:
    return {"header": {"key": name, "value": _literal(value)}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _query(name: str, value: str) -> Message:
    return {"record": {"key": name, "value": _literal(value)}, "action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _literal(value: str) -> str:
    """Envoy reads values as formats, in which a per cent sign begins a command."""
    return value.replace("%", "%%")
