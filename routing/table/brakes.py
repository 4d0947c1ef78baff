"""Brakes: what is taken out of a table, whatever else it says."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from routing.table.access import AccessKey
from routing.table.reach import keeping_warm
from routing.table.types import Endpoint, Table


class BrakeKind(StrEnum):
    """What a brake takes out."""

    EXPERIMENTS = "experiments"
    EXPERIMENT = "experiment"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Brake:
    """What must not be in a table: all experiments and shadows of an endpoint, one experiment, or an access key.

    `subject` is the key of the endpoint, or empty for all endpoints; the key of the experiment; or the key's digest.
    """

    kind: BrakeKind
    subject: str = ""


def apply_brakes(table: Table, brakes: Collection[Brake]) -> Table:
    """The table without what the brakes take out; nothing is ever added, so one without problems stays so.

    What is taken out for a time, by the kill switch, is kept warm.
    """
    endpoints = table.endpoints
    for brake in brakes:
        endpoints = tuple(_braked(endpoint, brake) for endpoint in endpoints)
    return replace(table, endpoints=endpoints)


def _braked(endpoint: Endpoint, brake: Brake) -> Endpoint:
    if brake.kind is BrakeKind.EXPERIMENTS:
        return _stopped(endpoint) if brake.subject in ("", endpoint.key) else endpoint
    if brake.kind is BrakeKind.EXPERIMENT:
        running = tuple(experiment for experiment in endpoint.experiments if experiment.key != brake.subject)
        return replace(endpoint, experiments=running)
    return _without_key(endpoint, brake.subject)


def _without_key(endpoint: Endpoint, digest: str) -> Endpoint:
    def others(keys: tuple[AccessKey, ...]) -> tuple[AccessKey, ...]:
        return tuple(key for key in keys if key.digest != digest)

    access, testers = endpoint.access, endpoint.testers
    return replace(
        endpoint,
        access=access and replace(access, keys=others(access.keys)),
        testers=replace(testers, keys=others(testers.keys)),
    )


def _stopped(endpoint: Endpoint) -> Endpoint:
    return keeping_warm(replace(endpoint, experiments=(), shadows=()), endpoint)
