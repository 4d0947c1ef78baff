"""What an experiment carries from one tick to the next: of which metrics, in which file, and what if that cannot be."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import structlog

from experiments.evidence.completeness import completeness_checks
from experiments.evidence.metric_sums import MetricDefinition, counts_events, outcome_names
from experiments.evidence.own_metrics import NOT_ANSWERED, REQUESTS
from experiments.evidence.state.advance import advance, sums_of_all
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


def may_have_past(metric: MetricDefinition) -> bool:
    """Whether it may be adjusted by what units did before: an amount, of requests alone.

    The variance of a share of units follows from its value, and events are compared by their counts.
    """
    return may_be_carried(metric) and not metric.kind.is_share and not counts_events(metric)


def kept_of(
    experiment: str, started_at: datetime, metrics: Sequence[MetricDefinition], starts: Iterable[datetime]
) -> Kept:
    """What sums are kept of, in their order in the file, since these starts and that of the experiment."""
    moments = sorted({started_at, *(start for start in starts if start > started_at)})
    carried = tuple(filter(may_be_carried, metrics))
    return Kept(experiment, carried, (REQUESTS_A_UNIT, NOT_ANSWERED, *completeness_checks(metrics)), tuple(moments))


def kept_sums(carried: Carried | None, reading: Reading, kept: Kept) -> Sums | None:
    """The sums at the version that is read, from the file or, where it cannot be used now, from all rows.

    None where they cannot be kept as whole numbers, and where all rows are too many for this machine.
    """
    try:
        found = _carried_on(carried, reading, kept) if carried else None
        return sums_of_all(reading, kept) if found is None and reading.is_here else found
    except OverflowError as error:
        log.warning("evidence is read row by row", experiment=kept.experiment, reason=str(error))
        return None


def _carried_on(carried: Carried, reading: Reading, kept: Kept) -> Sums | None:
    try:
        return advance(carried.path, reading, kept)
    except (sqlite3.OperationalError, OSError) as error:
        log.warning("evidence is not carried on", experiment=kept.experiment, reason=str(error))
    except OverflowError:
        raise
    except Exception:
        # Whatever is wrong with the file, harm is still to be seen.
        log.exception("evidence is not carried on, and its file is made anew", experiment=kept.experiment)
        forget(carried.path)
    return None


def forget(path: Path) -> None:
    """Remove a file and what lies beside it."""
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink(missing_ok=True)
