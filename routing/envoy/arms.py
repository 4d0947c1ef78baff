"""From the segments of an endpoint to Envoy's weighted clusters."""

from collections.abc import Iterable

from routing.envoy.facts import arm_facts, set_facts
from routing.envoy.names import ARM_FACTS, HTTP_FILTERS, PARAMETERS, SALTED_UNIT, Message
from routing.table import Parameters, Segment


def assignment(parts: Iterable[Segment]) -> Message:
    """The part of a route's action that finds the segment by the hash of salt and unit."""
    return {
        "weighted_clusters": {"clusters": [_weighted(part) for part in parts], "use_hash_policy": True},
        "hash_policy": [{"filter_state": {"key": SALTED_UNIT}}],
    }


def parameter_filter(parameters: Parameters) -> Message:
    """What sets headers and query parameters of a variant; nothing where it has none."""
    if parameters == Parameters():
        return {}
    mutations = {
        "request_mutations": [{"append": _header(name, value)} for name, value in parameters.headers],
        "query_parameter_mutations": [{"append": _query(name, value)} for name, value in parameters.query],
    }
    kind = f"{HTTP_FILTERS}.header_mutation.v3.HeaderMutationPerRoute"
    return {PARAMETERS: {"@type": kind, "mutations": mutations}}


def _weighted(segment: Segment) -> Message:
    weighted: Message = {"name": segment.backend, "weight": segment.weight}
    if segment.experiment is not None or segment.held_out:
        weighted["typed_per_filter_config"] = {
            ARM_FACTS: set_facts(arm_facts(segment)),
            **parameter_filter(segment.parameters),
        }
    return weighted


def _header(name: str, value: str) -> Message:
    return {"header": {"key": name, "value": _literal(value)}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _query(name: str, value: str) -> Message:
    return {"record": {"key": name, "value": _literal(value)}, "action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _literal(value: str) -> str:
    """Envoy reads values as formats, in which a per cent sign begins a command."""
    return value.replace("%", "%%")
