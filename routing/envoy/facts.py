"""What the access log is to say of a request, kept as its metadata."""

from routing.envoy.names import FACTS, HTTP_FILTERS, Message
from routing.table import Endpoint, Segment


def endpoint_facts(endpoint: Endpoint, version: int) -> Message:
    """What is so for every request of an endpoint."""
    unit = endpoint.unit.source.value
    return {"endpoint": endpoint.key, "table_version": version, "forced": False, "unit_source": unit}


def arm_facts(segment: Segment) -> Message:
    """What a request is measured as."""
    facts = {"experiment": segment.experiment, "variant": segment.variant, "stage": segment.stage}
    return {"backend": segment.backend, **({"held_out": True} if segment.experiment is None else facts)}


def set_facts(facts: Message) -> Message:
    """Configuration of a filter that keeps these facts; they replace those of the same names."""
    metadata = {"metadata_namespace": FACTS, "value": facts, "allow_overwrite": True}
    return {"@type": f"{HTTP_FILTERS}.set_metadata.v3.Config", "metadata": [metadata]}
