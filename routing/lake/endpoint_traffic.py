"""What came to an endpoint lately: how requests ended, and what of them cannot be measured, and why."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import narwhals as nw

from routing.lake.reading import read_lake

LATELY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class EndpointTraffic:
    """Requests since a moment, those of quality assurance and shadows left out.

    Where only a share is kept of those outside of experiments, the numbers are scaled up from it.

    `results` counts them by how they ended, `failures` those that failed by their cause, `without_unit` those that are
    nobody's by why they are, and `unreadable` those that told a number which is none, by its name.
    """

    since: datetime
    requests: int
    results: Mapping[str, int]
    failures: Mapping[str, int]
    without_unit: Mapping[str, int]
    unreadable: Mapping[str, int]

    @property
    def share_without_unit(self) -> float:
        """From 0 to 1."""
        return sum(self.without_unit.values()) / self.requests if self.requests else 0.0


def endpoint_traffic(lake_url: str, endpoint: str, since: datetime) -> EndpointTraffic:
    """Count the requests of an endpoint. Starts threads.

    Raises:
        Unavailable: `lake-unavailable`.

    """
    kinds = ("result", "failure", "without_unit", "unreadable")
    with read_lake(lake_url) as reading:
        mine = reading.requests.filter(
            nw.col("day") >= since.date(),
            nw.col("endpoint") == endpoint,
            nw.col("time") >= since,
            ~nw.col("shadow"),
            ~nw.col("forced"),
        )
        grouped = mine.group_by(*kinds, "kept_share").agg(nw.len().alias("requests"))
        rows = [_scaled(row) for row in grouped.collect("pyarrow").rows(named=True)]
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in kinds}
    for row in rows:
        for kind in kinds:
            for name in (row[kind] or "").split(","):
                counts[kind][name] += row["requests"]
    told = {kind: {name: count for name, count in by.most_common() if name} for kind, by in counts.items()}
    total = sum(row["requests"] for row in rows)
    return EndpointTraffic(since, total, told["result"], told["failure"], told["without_unit"], told["unreadable"])


def _scaled(row: dict[str, Any]) -> dict[str, Any]:
    """A count of rows, as the count of requests that they stand for."""
    return row if row["kept_share"] is None else {**row, "requests": round(row["requests"] / row["kept_share"])}
