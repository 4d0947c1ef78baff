"""The tables whose splits are looked at, and what Python says about them."""

from collections.abc import Sequence
from functools import lru_cache

from routing.allocation.assign import assign, bucket
from routing.table import BUCKETS, Arm, Endpoint, Table
from tests.factories.tables import make_endpoint, make_experiment, make_table

SALT = "pepper"
WEIGHTS = {"tenth": 10, "one": 100, "ten": 1_000, "half": 5_000}
"""How many of 10 000 buckets the candidate has: 0.1, 1, 10 and 50 %."""

FIVE, TEN = 500, 1_000
RAMP = "ramp"


def make_split_table(version: int = 1, ramp: int = FIVE) -> Table:
    """One endpoint for each weight, whose control has the rest, and one that is being ramped up."""
    endpoints = [_endpoint(name, BUCKETS - width, BUCKETS) for name, width in WEIGHTS.items()]
    return make_table(*endpoints, _ramped(ramp), version=version)


def _endpoint(name: str, cut: int, end: int) -> Endpoint:
    arms = (Arm("control", "stable", 0, cut), Arm("candidate", "candidate", cut, end))
    return make_endpoint(name, make_experiment(f"{name}-split", *arms), path_prefix=f"/{name}", salt=SALT)


def _ramped(reached: int) -> Endpoint:
    """Two arms of half of the buckets each, of which so many in 10 000 are in: half of these on each arm."""
    arms = (Arm("control", "stable", 0, BUCKETS // 2), Arm("candidate", "candidate", BUCKETS // 2, BUCKETS))
    experiment = make_experiment(f"{RAMP}-split", *arms, coverage=reached)
    return make_endpoint(RAMP, experiment, path_prefix=f"/{RAMP}", salt=SALT)


def expected(endpoint: Endpoint, units: Sequence[str]) -> list[str]:
    """The variant that Python gives each unit; an empty text for who is in none."""
    by_bucket = _variants(endpoint)
    return [by_bucket[bucket(endpoint.salt, unit)] for unit in units]


@lru_cache
def _variants(endpoint: Endpoint) -> tuple[str, ...]:
    """The variant of each bucket, from a unit of each: `assign` itself takes long for a million."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < BUCKETS:
        assigned = assign(endpoint, f"probe-{number}")
        assert assigned.bucket is not None
        found[assigned.bucket] = assigned.variant or ""
        number += 1
    return tuple(found[place] for place in range(BUCKETS))
