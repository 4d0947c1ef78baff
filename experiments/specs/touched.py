"""Whom a change touches: endpoints whose users it reaches, and experiments that have not ended."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from experiments.models import Experiment, Metric
from experiments.models.experiment import ENDED_STATES
from routing.models import Backend, Endpoint, Issuer, Layer
from routing.resources.references import endpoints_naming


@dataclass(frozen=True, slots=True)
class Touched:
    """Keys of endpoints, and of experiments with the state in which each is."""

    endpoints: tuple[str, ...]
    experiments: tuple[tuple[str, str], ...]


def touched_by(row: Any) -> Touched:
    """What a change of this row reaches."""
    endpoints, concerned = _endpoints(row), _experiments(row)
    living = Experiment.objects.exclude(state__in=ENDED_STATES).filter(concerned | Q(endpoint__key__in=endpoints))
    return Touched(endpoints, tuple(living.order_by("key").values_list("key", "state").distinct()))


def _endpoints(row: Any) -> tuple[str, ...]:
    match row:
        case Endpoint():
            return (row.key,)
        case Experiment():
            return (row.endpoint.key,)
        case Backend():
            return tuple(sorted(endpoints_naming(row)))
        case Layer() | Issuer():
            return tuple(_keys(row.endpoints.all()))
    return ()


def _experiments(row: Any) -> Q:
    match row:
        case Backend():
            return Q(variants__backend=row)
        case Metric():
            return Q(plan__metrics__metric=row)
        case Experiment():
            return Q(pk=row.pk)
    return Q(pk__in=())


def _keys(rows: QuerySet[Any]) -> list[str]:
    return list(rows.order_by("key").values_list("key", flat=True))
