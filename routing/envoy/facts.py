"""What the access log is to say of a request, kept as its metadata."""

from routing.envoy.names import FACTS, HTTP_FILTERS, Message
from routing.table import WHOLE, Endpoint, Parameters, Segment


def endpoint_facts(endpoint: Endpoint, version: int) -> Message:
    """What is so for every request of an endpoint."""
    unit = endpoint.unit.source.value
    kept = {} if endpoint.kept == WHOLE else {"kept": endpoint.kept}
    return {"endpoint": endpoint.key, "table_version": version, "forced": False, "unit_source": unit, **kept}


def segment_facts(segment: Segment) -> Message:
    """What a request is measured as, or what decided where it goes unmeasured; and the names of what is set of it."""
    measured = {"experiment": segment.experiment, "variant": segment.variant, "stage": segment.stage}
    return {
        "backend": segment.backend,
        **({} if segment.experiment is None else measured),
        **({"held_out": True} if segment.held_out else {}),
        **({} if segment.rule is None else {"rule": segment.rule}),
        **parameter_facts(segment.parameters),
    }


def parameter_facts(parameters: Parameters) -> Message:
    """The names of the headers and query parameters that are set; their values are for the backend alone."""
    named = {"headers": parameters.headers, "query": parameters.query}
    return {kind: ", ".join(name for name, _ in pairs) for kind, pairs in named.items() if pairs}


def set_facts(facts: Message) -> Message:
    """Configuration of a filter that keeps these facts; they replace those of the same names."""
    metadata = {"metadata_namespace": FACTS, "value": facts, "allow_overwrite": True}
    return {"@type": f"{HTTP_FILTERS}.set_metadata.v3.Config", "metadata": [metadata]}
