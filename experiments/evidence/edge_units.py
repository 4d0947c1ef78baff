"""How many units of each variant each edge has seen."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

import narwhals as nw

from experiments.evidence.history import read_history
from experiments.evidence.rows import measured_requests
from routing.lake.reading import Frame


def units_by_edge(lake_url: str, experiment: str, started_at: datetime) -> Mapping[str, Mapping[str, int]]:
    """Distinct measured units by edge and variant; one that came by two edges counts at both. Starts threads.

    Raises:
        Unavailable: `lake-unavailable`.

    """
    with read_history(lake_url) as reading:
        return count_by_edge(measured_requests(reading.requests, experiment, started_at))


def count_by_edge(measured: Frame) -> Mapping[str, Mapping[str, int]]:
    """The same of measured requests."""
    seen = measured.select("edge", "variant", "unit").unique()
    rows = seen.group_by("edge", "variant").agg(nw.len().alias("units")).collect("pyarrow").rows(named=True)
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        found[row["edge"]][row["variant"]] = int(row["units"])
    return dict(found)
