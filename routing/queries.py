"""Reads of routing: what the table should be, what was published, which edges live."""

from datetime import timedelta

from routing import models, table
from routing.models import RoutingTable

SILENT_AFTER = timedelta(seconds=10)
"""An edge that has not reported for this long is shown as silent."""


def desired_table(version: int) -> table.Table:
    """The table that follows from the database as it is now."""
    endpoints = models.Endpoint.objects.select_related("backend").prefetch_related("splits").order_by("key")
    return table.Table(
        version=version,
        endpoints=tuple(_endpoint(endpoint) for endpoint in endpoints),
        backends=tuple(_backend(backend) for backend in models.Backend.objects.order_by("key")),
    )


def latest_table() -> RoutingTable | None:
    """The newest published table."""
    return RoutingTable.objects.order_by("-version").first()


def _backend(backend: models.Backend) -> table.Backend:
    return table.Backend(
        key=backend.key,
        protocol=backend.protocol,
        addresses=tuple(backend.addresses),
        health_path=backend.health_path,
        prompt_price=backend.prompt_price,
        completion_price=backend.completion_price,
    )


def _endpoint(endpoint: models.Endpoint) -> table.Endpoint:
    splits = sorted(endpoint.splits.all(), key=lambda split: split.start)
    return table.Endpoint(
        key=endpoint.key,
        path_prefix=endpoint.path_prefix,
        unit=table.Unit(source=table.UnitSource(endpoint.unit_source), name=endpoint.unit_name),
        salt=endpoint.salt,
        backend=endpoint.backend.key,
        timeout_seconds=endpoint.timeout_seconds,
        experiments=tuple(_running_experiment(split) for split in splits),
    )


def _running_experiment(split: models.Split) -> table.RunningExperiment:
    return table.RunningExperiment(
        key=split.experiment,
        stage=split.stage,
        coverage=split.coverage,
        arms=tuple(table.Arm(**arm) for arm in split.arms),
    )
