"""Reads of rows that edges have lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from routing.access_log.losses import Loss
from routing.edges.heartbeats import read_losses_told
from routing.models import Edge


@dataclass(frozen=True, slots=True)
class LostRows:
    """Rows of one backend that an edge has lost; `rows` is None where nobody can tell how many, nor whose."""

    backend: str
    rows: int | None
    since: datetime
    until: datetime

    def __str__(self) -> str:
        return f"{self.rows} of {self.backend}" if self.rows is not None else "some that nobody can tell"


def lost_rows(edge: Edge) -> list[LostRows]:
    """What an edge has lost, by backend, over all runs of its Envoy."""
    found: dict[str, LostRows] = {}
    for loss in read_losses_told(edge.losses):
        since, until = datetime.fromisoformat(loss.since), datetime.fromisoformat(loss.until)
        before = found.get(loss.backend, LostRows(loss.backend, 0, since, until))
        rows = None if loss.rows is None or before.rows is None else before.rows + loss.rows
        found[loss.backend] = LostRows(loss.backend, rows, min(before.since, since), max(before.until, until))
    return [found[backend] for backend in sorted(found)]


def lost_by_variant(experiment: str) -> Mapping[str, int]:
    """Rows of each variant of an experiment that edges have lost."""
    found: dict[str, int] = {}
    for loss in _losses():
        if loss.experiment == experiment and loss.rows is not None:
            found[loss.variant] = found.get(loss.variant, 0) + loss.rows
    return found


def untold_since(moment: datetime) -> list[str]:
    """The edges that lost, since a moment, rows of which nobody can tell whose they are."""
    return sorted(
        edge.name
        for edge in Edge.objects.all()
        if any(
            loss.rows is None and datetime.fromisoformat(loss.until) >= moment for loss in read_losses_told(edge.losses)
        )
    )


def _losses() -> list[Loss]:
    told = Edge.objects.values_list("losses", flat=True)
    return [loss for losses in told for loss in read_losses_told(losses)]
