"""Which rows count, and for whom: measured requests, units, and the outcomes that belong to them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import narwhals as nw

from experiments.evidence.measures import FRACTION, JUDGED, Measure, NumberType, judged, not_answered
from routing.lake.reading import Frame

EVERYBODY = "everybody"


def measured_requests(requests: Frame, experiment: str, started_at: datetime) -> Frame:
    """Requests that count: assigned by the experiment, neither forced nor shadow, since its start.

    Their column `asked_at` is their time, and tells it of their outcomes, which have a time of their own.
    """
    return requests.filter(
        nw.col("day") >= started_at.date(),
        nw.col("experiment") == experiment,
        nw.col("time") >= started_at,
        ~nw.col("shadow"),
        ~nw.col("forced"),
        ~nw.col("variant").is_null(),
        ~nw.col("unit").is_null(),
    ).with_columns(**{JUDGED: judged(), "asked_at": nw.col("time")})


def past_requests(requests: Frame, experiment: str, endpoint: str, since: datetime, until: datetime) -> Frame:
    """Requests of units to an endpoint from one moment until another, not forced, not shadow, of whatever variant but
    those of the experiment itself, which an edge whose clock is behind tells to be of before it.
    """
    return requests.filter(
        nw.col("day") >= since.date(),
        nw.col("day") <= until.date(),
        nw.col("endpoint") == endpoint,
        nw.col("experiment").is_null() | (nw.col("experiment") != experiment),
        nw.col("time") >= since,
        nw.col("time") < until,
        ~nw.col("shadow"),
        ~nw.col("forced"),
        ~nw.col("unit").is_null(),
    ).with_columns(**{JUDGED: judged()})


def endpoint_requests(requests: Frame, endpoint: str, since: datetime) -> Frame:
    """All requests of an endpoint with a unit, neither forced nor shadow, as if of one variant, `EVERYBODY`.

    `chance` is how likely their unit was to be kept: once an experiment took it, it was for sure.
    """
    return requests.filter(
        nw.col("day") >= since.date(),
        nw.col("endpoint") == endpoint,
        nw.col("time") >= since,
        ~nw.col("shadow"),
        ~nw.col("forced"),
        ~nw.col("unit").is_null(),
    ).with_columns(
        **{"variant": nw.lit(EVERYBODY), JUDGED: judged(), "asked_at": nw.col("time")},
        chance=nw.col("kept_share").fill_null(1.0),
    )


def starts_after(starts: Sequence[datetime]) -> nw.Expr:
    """How many starts, which are in order, come after a row at or after the first of them.

    It is asked by halves, with few comparisons a row however many starts there are.
    """
    if len(starts) == 1:
        return nw.lit(0)
    middle = len(starts) // 2
    is_later = nw.col("time") >= starts[middle]
    earlier = starts_after(starts[:middle]) + (len(starts) - middle)
    return nw.when(is_later).then(starts_after(starts[middle:])).otherwise(earlier)


def total(column: str, number: NumberType = FRACTION) -> nw.Expr:
    """The sum of what is known in a column, as a number of this type: engines differ in how wide they make sums."""
    return nw.col(column).cast(number).sum().fill_null(0).cast(number)


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
            *(total(column, measure.number) for measure, column in totals.items()),
        )
    )
    return units.with_columns(arm=nw.when(nw.col("arm") == nw.col("other_arm")).then(nw.col("arm"))).drop("other_arm")


def with_failures(units: Frame, measured: Frame) -> Frame:
    """Units with how many of their requests had no answer (`failed`), and if the newest had none (`failed_last`)."""
    failures = (
        measured.filter(not_answered())
        .select("unit", failed_time=nw.col("time"))
        .group_by("unit")
        .agg(nw.col("failed_time").max(), nw.len().alias("failed"))
    )
    is_last = (nw.col("failed_time") == nw.col("last_time")).fill_null(value=False)
    return units.join(failures, on="unit", how="left").with_columns(
        failed=nw.col("failed").fill_null(0), failed_last=nw.when(is_last).then(nw.lit(1)).otherwise(nw.lit(0))
    )


def attributed_outcomes(
    outcomes: Frame, measured: Frame, units: Frame, names: Collection[str], started_at: datetime
) -> Frame:
    """Outcomes of the experiment's units, each once: `unit`, `request_id` (or null), times, `name`, `value`.

    An outcome that names a request belongs to that request alone; one that names only a unit counts from the unit's
    first measured request on. `asked_at` is the time of its request, or of the unit's newest request before it, and
    `known_at` when it could be counted first.
    """
    named = outcomes.filter(nw.col("day") >= started_at.date(), nw.col("name").is_in(tuple(names)))
    columns = ("request_id", "time", "received_at", "name", "value")
    of_requests = named.filter(~nw.col("request_id").is_null()).select(*columns)
    owners = (
        measured.select("request_id", "unit", "time")
        .join(of_requests.select("request_id"), on="request_id", how="semi")
        .group_by("request_id")
        .agg(nw.col("unit").min(), nw.col("time").min().alias("asked_at"))
    )
    of_units = (
        named.filter(nw.col("request_id").is_null())
        .select("unit", *columns)
        .join(units.select("unit", "first_time"), on="unit")
        .filter(nw.col("time") >= nw.col("first_time"))
        .select("unit", *columns, asked_at=nw.col("first_time"))
    )
    attributed = ("unit", *columns, "asked_at")
    both = nw.concat(
        [
            of_requests.join(owners, on="request_id").select(*attributed),
            _of_newest_requests(of_units, measured).select(*attributed),
        ]
    )
    # A sender's clock may be ahead: what it says has happened counts from then on.
    return both.with_columns(known_at=nw.max_horizontal(nw.col("time"), nw.col("received_at")))


def _of_newest_requests(of_units: Frame, measured: Frame) -> Frame:
    """Outcomes of units, with the time of the newest request before each as `asked_at`, which was that of the first."""
    requests = (
        measured.select("unit", "time")
        .join(of_units.select("unit"), on="unit", how="semi")
        .select(
            "unit",
            "time",
            request_id=nw.lit(""),
            received_at=nw.col("time"),
            name=nw.lit(""),
            value=nw.lit(0.0),
            asked_at=nw.col("time"),
            is_outcome=nw.lit(0),
        )
    )
    # At one moment the request comes before its outcome.
    in_order = nw.concat([requests, of_units.select(*requests.columns[:-1], is_outcome=nw.lit(1))])
    newest = nw.col("asked_at").cum_max().over("unit", order_by=["time", "is_outcome"])
    return in_order.with_columns(asked_at=newest).filter(nw.col("is_outcome") == 1)
