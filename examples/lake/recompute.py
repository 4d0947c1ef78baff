"""A metric of an experiment, computed from the lake by DuckDB and by pandas, without Sluice.

`python -m examples.lake.recompute var/lake cheaper-model` prints the error rate of each arm twice: requests that
failed or timed out, by requests, with its standard error over users. Both have the sums that Sluice itself decides
on, to the bit. pandas has to be installed beside: `pip install pandas`.
"""

import argparse
import math
from dataclasses import astuple, dataclass
from datetime import UTC, datetime

import duckdb
import pandas as pd
import pyarrow as pa
from deltalake import DeltaTable

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

EXACT = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype(), pa.bool_(): pd.BooleanDtype()}
"""How what may be null stays exact in pandas: without it `unit` becomes a float, and users run together."""

# Neither copies for shadows nor forced requests are measured, and only those of a user. Whether one failed whose
# answer could not be read is nobody's to say, so it is null. A user who was seen in two arms counts in none.
BY_DUCKDB = """
    WITH measured AS (
        SELECT unit, variant,
               CASE WHEN result <> 'unknown' THEN (result IN ('failed', 'timed-out'))::BIGINT END AS error
        FROM requests
        WHERE experiment = ? AND time >= ? AND NOT shadow AND NOT forced AND variant IS NOT NULL AND unit IS NOT NULL
    ),
    users AS (
        SELECT min(variant) AS variant, coalesce(sum(error), 0) AS y, count(error) AS d
        FROM measured GROUP BY unit HAVING min(variant) = max(variant)
    )
    SELECT variant, count(*), sum(y)::BIGINT, sum(d)::BIGINT, sum(y * y)::BIGINT, sum(d * d)::BIGINT, sum(y * d)::BIGINT
    FROM users GROUP BY variant ORDER BY variant
"""


@dataclass(frozen=True, slots=True)
class Sums:
    """Of one arm: its users, and the sums over them of errors y, of requests d, and of their products."""

    variant: str
    users: int
    y: int
    d: int
    yy: int
    dd: int
    yd: int

    @property
    def rate(self) -> float:
        """Errors by requests."""
        return self.y / self.d

    @property
    def standard_error(self) -> float:
        """By the delta method: users are independent of each other, and the requests of one are not."""
        spread = self.yy - 2 * self.rate * self.yd + self.rate**2 * self.dd
        return math.sqrt(spread * self.users / (self.users - 1)) / self.d


def by_duckdb(lake: str, experiment: str, started_at: datetime = LONG_AGO) -> list[Sums]:
    """The sums of each arm, by SQL."""
    with duckdb.connect() as connection:
        connection.register("requests", DeltaTable(f"{lake}/requests").to_pyarrow_dataset())
        rows = connection.execute(BY_DUCKDB, [experiment, started_at]).fetchall()
    return [Sums(*row) for row in rows]


def by_pandas(lake: str, experiment: str, started_at: datetime = LONG_AGO) -> list[Sums]:
    """The same, by pandas."""
    requests = DeltaTable(f"{lake}/requests").to_pandas(types_mapper=EXACT.get)
    measured = requests[
        (requests["experiment"] == experiment)
        & (requests["time"] >= started_at)
        & ~requests["shadow"]
        & ~requests["forced"]
        & requests["variant"].notna()
        & requests["unit"].notna()
    ]
    failed = measured["result"].isin(["failed", "timed-out"]).astype("Int64")
    measured = measured.assign(error=failed.mask(measured["result"].isna() | (measured["result"] == "unknown")))
    users = measured.groupby("unit").agg(
        variant=("variant", "min"), other=("variant", "max"), y=("error", "sum"), d=("error", "count")
    )
    users = users[users["variant"] == users["other"]]
    products = users.assign(yy=users["y"] ** 2, dd=users["d"] ** 2, yd=users["y"] * users["d"])
    arms = products.groupby("variant").agg(dict.fromkeys(("y", "d", "yy", "dd", "yd"), "sum"))
    counts = users.groupby("variant").size()
    return [Sums(row.Index, int(counts[row.Index]), *map(int, row[1:])) for row in arms.itertuples()]


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(prog="python -m examples.lake.recompute")
    parser.add_argument("lake", help="Folder or object store, such as var/lake.")
    parser.add_argument("experiment", help="Its key, such as cheaper-model.")
    parser.add_argument("--since", type=datetime.fromisoformat, default=LONG_AGO, help="Its start, with a zone.")
    options = parser.parse_args()
    for name, compute in (("DuckDB", by_duckdb), ("pandas", by_pandas)):
        for arm in compute(options.lake, options.experiment, options.since):
            variant, users, errors, requests, *_ = astuple(arm)
            print(f"{name}  {variant}: {users} users, {errors} of {requests} requests failed,", end=" ")
            print(f"{arm.rate:.4%} ± {arm.standard_error:.4%}")


if __name__ == "__main__":
    main()
