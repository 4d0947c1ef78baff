"""What an experiment carries from one tick to the next: of which metrics, in which file, and what if that cannot be."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import structlog

from experiments.evidence.completeness import completeness_checks
from experiments.evidence.metric_sums import MetricDefinition, outcome_names
from experiments.evidence.own_metrics import NOT_ANSWERED, REQUESTS
from experiments.evidence.state.advance import advance
from experiments.evidence.state.sums import Kept, Sums
from routing.lake.reading import Reading

# Its name is none that a metric may have.
REQUESTS_A_UNIT = replace(REQUESTS, key="requests a unit")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Carried:
    """The file that keeps the totals, and the starts that will be asked for soon."""

    path: Path
    coming: tuple[datetime, ...] = ()


def may_be_carried(metric: MetricDefinition) -> bool:
    """Whether its sums follow from the totals of requests alone, whatever the time is."""
    return metric.adds_up and not outcome_names(metric)


def carried_metrics(metrics: Sequence[MetricDefinition]) -> tuple[MetricDefinition, ...]:
    """What sums are kept of, in their order in the file."""
    return (REQUESTS_A_UNIT, NOT_ANSWERED, *filter(may_be_carried, metrics), *completeness_checks(metrics))


def carried_sums(
    carried: Carried,
    reading: Reading,
    experiment: str,
    started_at: datetime,
    metrics: Sequence[MetricDefinition],
    starts: Sequence[datetime],
) -> Sums | None:
    """The sums at the version that is read; None where the file cannot be used now: then the rows tell all."""
    moments = sorted({started_at, *(start for start in (*starts, *carried.coming) if start > started_at)})
    kept = Kept(experiment, carried_metrics(metrics), tuple(moments))
    try:
        return advance(carried.path, reading, kept)
    except (sqlite3.OperationalError, OSError, OverflowError) as error:
        log.warning("evidence is not carried on", experiment=experiment, reason=str(error))
    except Exception:
        # Whatever is wrong with the file, harm is still to be seen.
        log.exception("evidence is not carried on, and its file is made anew", experiment=experiment)
        forget(carried.path)
    return None


def forget(path: Path) -> None:
    """Remove a file and what lies beside it."""
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink(missing_ok=True)
