"""Reads of routing: what the table should be, what was published, which edges live."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from routing import models, shapes, table
from routing.entrances import LivingKey, access, living_keys
from routing.guard import Cut
from routing.heartbeats import read_cuts
from routing.models import RoutingTable
from routing.stops import open_stops

SILENT_AFTER = timedelta(seconds=10)
"""An edge that has not reported for this long is shown as silent."""


def desired_table(version: int) -> table.Table:
    """The table that follows from the database as it is now."""
    forward = ("backend", "standby", "layer", "issuer")
    related = models.Endpoint.objects.select_related(*forward).prefetch_related("splits")
    endpoints = related.order_by("key")
    keys = living_keys()
    backends = models.Backend.objects.filter(models.IN_USE).select_related("fallback").order_by("key")
    stops = open_stops()
    return table.Table(
        version=version,
        endpoints=tuple(
            _stopped(_endpoint(endpoint, keys)) if stops.of(endpoint.pk) else _endpoint(endpoint, keys)
            for endpoint in endpoints
        ),
        backends=tuple(_backend(backend) for backend in backends),
        issuers=tuple(_issuer(issuer) for issuer in models.Issuer.objects.order_by("key")),
    )


def desired_endpoint(endpoint: models.Endpoint) -> table.Endpoint:
    """One endpoint of the table that would follow from it as it is here, whoever may call it."""
    found = _endpoint(endpoint, ())
    return _stopped(found) if open_stops().of(endpoint.pk) else found


def latest_table() -> RoutingTable | None:
    """The newest published table."""
    return RoutingTable.objects.order_by("-version").first()


def cuts_of(experiment: str) -> list[Cut]:
    """What edges took out of an experiment: its candidates, each in its present round of the guard."""
    split = models.Split.objects.filter(experiment=experiment).first()
    candidates = [_arm(**arm) for arm in split.arms[1:]] if split else []
    rounds = {arm.variant: arm.guard_round for arm in candidates}
    told = [cut for edge in models.Edge.objects.order_by("name") for cut in read_cuts(edge.cuts)]
    return [cut for cut in told if cut.experiment == experiment and rounds.get(cut.variant) == cut.guard_round]


def _backend(backend: models.Backend) -> table.Backend:
    return table.Backend(
        key=backend.key,
        protocol=backend.protocol,
        addresses=tuple(backend.addresses),
        health_path=backend.ready_path,
        prompt_price=backend.prompt_price,
        completion_price=backend.completion_price,
        connect_seconds=backend.connect_seconds,
        concurrency=backend.concurrency,
        fallback=backend.fallback.key if backend.fallback else None,
        credential=_credential(backend),
        http2=backend.http2,
    )


def _credential(backend: models.Backend) -> table.Credential | None:
    if not backend.credential_secret:
        return None
    return table.Credential(backend.credential_secret, backend.credential_header, backend.credential_prefix)


def _issuer(issuer: models.Issuer) -> table.Issuer:
    return table.Issuer(issuer.key, issuer.issuer, tuple(issuer.audiences), issuer.key_set)


def _stopped(endpoint: table.Endpoint) -> table.Endpoint:
    """An endpoint for which the kill switch is on."""
    return table.keeping_warm(replace(endpoint, experiments=(), shadows=()), endpoint)


def _endpoint(endpoint: models.Endpoint, keys: Sequence[LivingKey]) -> table.Endpoint:
    splits = sorted(endpoint.splits.all(), key=lambda split: split.start)
    source = table.UnitSource(endpoint.unit_source)
    return table.Endpoint(
        key=endpoint.key,
        path_prefix=endpoint.path_prefix,
        unit=table.Unit(source=source, name=endpoint.unit_name, anonymous=endpoint.anonymous),
        salt=endpoint.layer.salt,
        backend=endpoint.backend.key,
        parameters=shapes.parameters(endpoint.headers, endpoint.query),
        rules=tuple(_rule(rule) for rule in shapes.rules(endpoint.rules)),
        timeout_seconds=endpoint.timeout_seconds,
        experiments=tuple(_running_experiment(split) for split in splits),
        hosts=tuple(endpoint.hosts),
        methods=tuple(endpoint.methods),
        conditions=shapes.conditions(endpoint.conditions),
        models=tuple(endpoint.model_names),
        rewrite=endpoint.rewrite or None,
        limits=_limits(endpoint),
        access=access(endpoint, keys),
        rate_limits=tuple(_rate_limit(limit) for limit in shapes.rate_limits(endpoint.rate_limits)),
        tiers=tuple(_tier(tier) for tier in shapes.tiers(endpoint.tiers)),
        holdout=endpoint.layer.holdout,
        shadows=tuple(_shadow(shadow) for shadow in shapes.shadows(endpoint.shadows)),
        warm=(endpoint.standby.key,) if endpoint.standby else (),
    )


def _limits(endpoint: models.Endpoint) -> table.Limits:
    return table.Limits(
        first_byte_seconds=endpoint.first_byte_seconds,
        idle_seconds=endpoint.idle_seconds,
        retries=endpoint.retries,
        body_bytes=endpoint.body_bytes,
    )


def _rate_limit(limit: shapes.RateLimitShape) -> table.RateLimit:
    return table.RateLimit(limit.requests, limit.seconds, limit.per)


def _rule(rule: shapes.RuleShape) -> table.Rule:
    parameters = shapes.parameters(rule.headers, rule.query)
    return table.Rule(rule.key, rule.backend, shapes.conditions(rule.conditions), parameters)


def _tier(tier: shapes.TierShape) -> table.Tier:
    return table.Tier(tier.key, tier.backend, shapes.conditions(tier.conditions), tier.longest_bytes)


def _shadow(shadow: shapes.ShadowShape) -> table.Shadow:
    share = max(1, round(shadow.percent / 100 * table.FULL_COVERAGE))
    return table.Shadow(shadow.name, 0, "candidate", shadow.backend, share)


def _running_experiment(split: models.Split) -> table.RunningExperiment:
    return table.RunningExperiment(
        key=split.experiment,
        stage=split.stage,
        coverage=split.coverage,
        arms=tuple(_arm(**arm) for arm in split.arms),
        audience=shapes.conditions(split.audience),
        guard=None if split.guard is None else table.Guard(**split.guard),
    )


def _arm(
    variant: str,
    backend: str,
    start: int,
    end: int,
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    guard_round: int = 0,
) -> table.Arm:
    parameters = shapes.parameters(headers or {}, query or {})
    return table.Arm(variant, backend, start, end, parameters, guard_round)
