"""The lake as evidence reads it: whole tables by Spark, where the installation has one."""

from collections.abc import Iterator
from contextlib import contextmanager

from controlplane.settings import get_environment
from routing.lake.reading import THREADS, LakeVersion, Reading, read_lake


@contextmanager
def read_history(lake_url: str, as_of: LakeVersion | None = None, threads: int = THREADS) -> Iterator[Reading]:
    """Open the lake; as `read_lake`, by `SLUICE_SPARK_MASTER`."""
    with read_lake(lake_url, as_of, threads, get_environment().spark_master) as reading:
        yield reading
