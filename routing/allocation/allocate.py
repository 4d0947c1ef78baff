"""Give an experiment its part of an endpoint's users, widen it, and take it back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from django.db import transaction

from controlplane.problems.errors import Conflict
from controlplane.storage.versions import locked
from routing.kill_switch.stops import open_stops
from routing.models import Endpoint, Layer, Split
from routing.resources.defaults import Default, default_of, rules_are_full
from routing.table import BUCKETS, divide


@dataclass(frozen=True, slots=True)
class Share:
    """One arm's backend, its weight beside the other arms, and the headers and query parameters that it sets."""

    variant: str
    backend: str
    weight: int
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


def place(
    endpoint: Endpoint,
    experiment: str,
    shares: Sequence[Share],
    *,
    traffic: int,
    stage: int,
    coverage: int,
    audience: Sequence[str] = (),
    guard: Mapping[str, float] | None = None,
) -> Split:
    """Reserve the first free range of `traffic` buckets and divide it among the arms.

    What the audience gets by default of headers and query parameters stays beneath those of each arm, as it is now.
    Raises `Conflict` when the other experiments of the endpoint's layer leave no range that is wide enough, when no
    rule would be left for the audience of a candidate that is promoted, and while the kill switch is on.
    """
    with transaction.atomic():
        _refuse_while_stopped(endpoint)
        present = locked(endpoint)
        _refuse_without_rule(present, audience)
        start = _first_free_range(locked(present.layer), traffic)
        return Split.objects.create(
            endpoint=present,
            experiment=experiment,
            stage=stage,
            coverage=coverage,
            start=start,
            end=start + traffic,
            arms=_arms(start, traffic, shares, default_of(present, audience)),
            audience=list(audience),
            guard=guard,
        )


def widen(experiment: str, *, stage: int, coverage: int) -> None:
    """Set the stage and the coverage of a placed experiment."""
    Split.objects.filter(experiment=experiment).update(stage=stage, coverage=coverage)


def reinstate(experiment: str, rounds: Mapping[str, int]) -> list[str]:
    """Reinstate arms that edges ejected in these rounds of the guard; returns those that nobody reinstated before.

    Call it inside a transaction.
    """
    split = Split.objects.select_for_update().filter(experiment=experiment).first()
    if split is None:
        return []
    given = [arm for arm in split.arms if rounds.get(arm["variant"]) == arm.get("guard_round", 0)]
    for arm in given:
        arm["guard_round"] = rounds[arm["variant"]] + 1
    split.save(update_fields=["arms"])
    return [arm["variant"] for arm in given]


def remove(experiment: str) -> None:
    """Give the experiment's range back to the endpoint."""
    Split.objects.filter(experiment=experiment).delete()


def _refuse_while_stopped(endpoint: Endpoint) -> None:
    stop = open_stops().of(endpoint.pk)
    if stop is not None:
        raise Conflict(
            "experiments-stopped",
            f"The kill switch is on for {stop.scope}, by {stop.by}: {stop.reason}",
            next_step="Turn it off before you start an experiment.",
        )


def _refuse_without_rule(endpoint: Endpoint, audience: Sequence[str]) -> None:
    if audience and rules_are_full(endpoint, audience):
        raise Conflict(
            "rules-full",
            f"Endpoint {endpoint.key} has {len(endpoint.rules)} rules, so a promotion would have no room for one.",
            next_step="Remove a rule of the endpoint first.",
        )


def _first_free_range(layer: Layer, width: int) -> int:
    start = 0
    for split in Split.objects.filter(endpoint__layer=layer).order_by("start"):
        if split.start - start >= width:
            return start
        start = split.end
    if BUCKETS - layer.holdout - start >= width:
        return start
    held_out = f", and {layer.holdout / 100:g} % are held out" if layer.holdout else ""
    raise Conflict(
        "no-free-traffic",
        f"Layer {layer.key} has no free range of {width / 100:g} % of its users{held_out}.",
        next_step="Lower the experiment's traffic, or end another experiment of this layer first.",
    )


def _arms(start: int, traffic: int, shares: Sequence[Share], beneath: Default) -> list[dict[str, object]]:
    spans = divide(start, traffic, [share.weight for share in shares])
    return [
        {
            "variant": share.variant,
            "start": span_start,
            "end": span_end,
            **asdict(Default(share.backend, share.headers, share.query).over(beneath)),
        }
        for share, (span_start, span_end) in zip(shares, spans, strict=True)
    ]
