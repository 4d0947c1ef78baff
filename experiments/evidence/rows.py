"""Which rows count, and for whom: measured requests, units, and the outcomes that belong to them."""

from collections.abc import Collection, Mapping
from datetime import datetime

import narwhals as nw

from experiments.evidence.measures import JUDGED, Measure, judged
from routing.events.reading import Frame

EVERYBODY = "everybody"


def measured_requests(requests: Frame, experiment: str, started_at: datetime) -> Frame:
    """Requests that count: assigned by the experiment, neither forced nor shadow, since its start."""
    return requests.filter(
        nw.col("day") >= started_at.date(),
        nw.col("experiment") == experiment,
        nw.col("time") >= started_at,
        ~nw.col("shadow"),
        ~nw.col("forced"),
        ~nw.col("variant").is_null(),
        ~nw.col("unit").is_null(),
    ).with_columns(**{JUDGED: judged()})


def endpoint_requests(requests: Frame, endpoint: str, since: datetime) -> Frame:
    """All requests of an endpoint with a unit, neither forced nor shadow, as if of one variant, `EVERYBODY`."""
    return requests.filter(
        nw.col("day") >= since.date(),
        nw.col("endpoint") == endpoint,
        nw.col("time") >= since,
        ~nw.col("shadow"),
        ~nw.col("forced"),
        ~nw.col("unit").is_null(),
    ).with_columns(**{"variant": nw.lit(EVERYBODY), JUDGED: judged()})


def bucket(since: datetime, seconds: int) -> nw.Expr:
    """The number of the bucket of time that a row lies in; bucket 0 starts at `since`, and holds what is older too."""
    number = (nw.col("time") - since).dt.total_seconds() // seconds
    return nw.when(number > 0).then(number).otherwise(nw.lit(0))


def total(column: str) -> nw.Expr:
    """The sum of what is known in a column; a float, as engines differ in how wide they make sums of integers."""
    return nw.col(column).cast(nw.Float64).sum().fill_null(0.0)


def units_of(measured: Frame, totals: Mapping[Measure, str]) -> Frame:
    """One row a unit: its only variant (`arm`, null when it was seen in several), when it was seen, its totals.

    Totals add up: those of two time ranges are the sum of both.
    """
    values = {column: measure.value() for measure, column in totals.items()}
    units = (
        measured.select("unit", "variant", "time", **values)
        .group_by("unit")
        .agg(
            nw.col("variant").min().alias("arm"),
            nw.col("variant").max().alias("other_arm"),
            nw.col("time").min().alias("first_time"),
            nw.col("time").max().alias("last_time"),
            nw.len().alias("requests"),
            *(total(column) for column in values),
        )
    )
    return units.with_columns(arm=nw.when(nw.col("arm") == nw.col("other_arm")).then(nw.col("arm"))).drop("other_arm")


def attributed_outcomes(
    outcomes: Frame, measured: Frame, units: Frame, names: Collection[str], started_at: datetime
) -> Frame:
    """Outcomes of the experiment's units, each once: `unit`, `request_id` (or null), times, `name`, `value`.

    An outcome that names a request belongs to that request alone; one that names only a unit counts
    from the unit's first measured request on.
    """
    named = outcomes.filter(nw.col("day") >= started_at.date(), nw.col("name").is_in(tuple(names)))
    columns = ("request_id", "time", "received_at", "name", "value")
    of_requests = named.filter(~nw.col("request_id").is_null()).select(*columns)
    owners = (
        measured.select("request_id", "unit")
        .join(of_requests.select("request_id"), on="request_id", how="semi")
        .group_by("request_id")
        .agg(nw.col("unit").min())
    )
    of_units = (
        named.filter(nw.col("request_id").is_null())
        .select("unit", *columns)
        .join(units.select("unit", "first_time"), on="unit")
        .filter(nw.col("time") >= nw.col("first_time"))
    )
    return nw.concat(
        [of_requests.join(owners, on="request_id").select("unit", *columns), of_units.select("unit", *columns)]
    )
