"""Give an endpoint a layer that it shares with no other."""

from controlplane.problems.errors import Conflict, FieldProblem
from controlplane.storage.races import key_taken
from routing.models import Endpoint, Layer, new_salt


def own_layer(endpoint: Endpoint) -> Layer:
    """The layer of the endpoint's own key; made if it is not there. Raises `Conflict` when others have it."""
    defaults = {"name": endpoint.name, "salt": new_salt()}
    layer, _ = Layer.objects.get_or_create(key=endpoint.key, defaults=defaults)
    others = layer.endpoints.exclude(pk=endpoint.pk)
    if others.filter(key=endpoint.key).exists():
        raise key_taken(endpoint)
    if others.exists():
        keys = ", ".join(others.values_list("key", flat=True))
        raise Conflict(
            "layer-shared",
            f"The layer {layer.key} belongs to {keys} already.",
            next_step="Name in `layer` the one that the endpoint shall join.",
            problems=(FieldProblem("layer", "Choose the layer that the endpoint shall join."),),
        )
    return layer
