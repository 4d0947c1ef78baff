"""What a promotion gives, and to whom, in words."""

from collections.abc import Sequence

from controlplane.problems.errors import Conflict
from experiments.models import Experiment, Variant
from routing.models import Endpoint
from routing.resources.defaults import Default


def given_by(variant: Variant) -> Default:
    """What its users are to get by default: its backend, and the headers and query parameters that it sets."""
    return Default(variant.backend.key, variant.headers, variant.query)


def those_of(endpoint: Endpoint, audience: Sequence[str]) -> str:
    """Whom it concerns, like `users of chat who meet x-country is DE`."""
    if audience:
        return f"users of {endpoint.key} who meet {' and '.join(audience)}"
    return f"users of {endpoint.key} whom no rule concerns" if endpoint.rules else f"all users of {endpoint.key}"


def prospect(experiment: Experiment) -> str:
    """Whom a promotion would be for, and who keeps what they have: for who is about to start the experiment."""
    endpoint, audience = experiment.endpoint, experiment.audience
    whom = f"for {those_of(endpoint, audience)}"
    if audience:
        return f"{whom}; all others keep what they have, unless a person promotes for everybody"
    rules = ", ".join(f"{rule['key']} ({' and '.join(rule['conditions'])})" for rule in endpoint.rules)
    return f"{whom}; those of {rules} take part too, and keep what their rule says" if rules else whom


def outcome(experiment: Experiment, variant: Variant) -> str:
    """What a promotion did, and for whom."""
    given = f"{those_of(experiment.endpoint, experiment.promoted_audience)} get {given_by(variant)}"
    return f"{given}; all others keep what they had" if experiment.promoted_audience else given


def next_after(experiment: Experiment, variant: Variant, control: Variant) -> str:
    """What is left to do after a promotion, and where it can be taken back."""
    if experiment.promoted_audience:
        return f"Nothing left to do here; a rule of {experiment.endpoint.key} holds it, and can be edited there."
    if variant.backend_id == control.backend_id:
        return (
            f"Nothing left to do here; headers and query parameters of {experiment.endpoint.key} can be edited there."
        )
    return f"Nothing left to do here; {control.backend.key} can be retired once nothing else uses it."


def promoted_already(experiment: Experiment) -> Conflict:
    """The refusal of a brake that comes after a promotion: the candidate is what users get by default now."""
    variant = experiment.promoted_variant
    given = f" {outcome(experiment, variant)[:1].upper()}{outcome(experiment, variant)[1:]}." if variant else ""
    return Conflict(
        "promoted-already",
        f"Experiment {experiment.key} is promoted, so there is nothing left to take out.{given}",
        next_step=how_to_put_back(experiment),
    )


def how_to_put_back(experiment: Experiment) -> str:
    """What undoes a promotion: what the control was, given again to those whom the candidate was given to."""
    endpoint = Endpoint.objects.select_related("standby").get(pk=experiment.endpoint_id)
    path = f"/api/v1/endpoints/{endpoint.key}"
    control = experiment.variants.select_related("backend").get(is_control=True)
    if experiment.promoted_audience:
        audience = " and ".join(experiment.promoted_audience)
        return f"Take the rule for {audience} away from endpoint {endpoint.key}, on its page or by PATCH {path}."
    if endpoint.standby_id == control.backend_id:
        return f"Switch endpoint {endpoint.key} back to {control.backend.key}, on its page or by POST {path}/switch."
    return (
        f"Make {given_by(control)} what endpoint {endpoint.key} gives by default again, on its page or by PATCH {path}."
    )
