"""Ask Spark in a process of its own, as one process has one Spark: `python -m tests.spark.asked_apart LAKE`."""

import json
import sys

from experiments.evidence import collect_evidence
from tests.factories.rows import START
from tests.spark.histories import NOW, ONE


def main(lake_url: str) -> None:
    """Print what Spark found, and how many executors it had."""
    from pyspark import SparkContext

    found = collect_evidence(lake_url, "exp", START, ONE, now=NOW).evidence
    # The driver is one of those that hold blocks.
    holders = SparkContext.getOrCreate()._jsc.sc().getExecutorMemoryStatus().size()
    sums = {" ".join(key): each.sum_yy for key, each in found.sums.items()}
    sys.stdout.write(json.dumps({"sums": sums, "executors": holders - 1}))


if __name__ == "__main__":
    main(*sys.argv[1:])
