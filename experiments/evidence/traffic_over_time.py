"""Traffic of an experiment over time, for charts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import narwhals as nw

from experiments.evidence.measures import Measure
from experiments.evidence.rows import bucket, measured_requests
from routing.lake.reading import THREADS, LakeVersion, read_lake


@dataclass(frozen=True, slots=True)
class TrafficPoint:
    """What one variant got in one bucket of time, which starts at `time`. Users are distinct within the bucket."""

    variant: str
    time: datetime
    requests: int
    users: int
    errors: int
    mean_duration_ms: float


def traffic(
    lake_url: str,
    experiment: str,
    since: datetime,
    *,
    bucket_seconds: int = 60,
    as_of: LakeVersion | None = None,
    threads: int = THREADS,
) -> tuple[TrafficPoint, ...]:
    """Measured requests by variant and bucket of time since `since`, in order of time.

    The first bucket starts at `since`; a bucket without requests is left out. Starts threads.

    Raises:
        InvalidInput: `lake-version-unknown`.
        Unavailable: `lake-unavailable`.

    """
    with read_lake(lake_url, as_of, threads) as reading:
        points = (
            measured_requests(reading.requests, experiment, since)
            .select(
                "variant",
                "unit",
                "duration_ms",
                bucket=bucket(since, bucket_seconds),
                error=Measure("errors").value(),
            )
            .group_by("variant", "bucket")
            .agg(
                nw.len().alias("requests"),
                nw.col("unit").n_unique().alias("users"),
                nw.col("error").sum().cast(nw.Int64).alias("errors"),
                nw.col("duration_ms").mean().alias("mean_duration_ms"),
            )
            .sort("bucket", "variant")
        )
        rows = points.collect("pyarrow").rows(named=True)
    return tuple(
        TrafficPoint(time=since + timedelta(seconds=row.pop("bucket") * bucket_seconds), **row) for row in rows
    )
