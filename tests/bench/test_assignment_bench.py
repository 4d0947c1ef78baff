"""A slice of `python -m bench.assignment`: the split is exact to the bucket, and a ramp moves only who is added."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.assignment.asking import arms_of
from bench.assignment.splits import FIVE, RAMP, SALT, TEN, WEIGHTS, expected, make_split_table
from routing.allocation.assign import assign, bucket
from routing.edge.envoy.configuration import write_routes
from tests.servers.envoys import RunningEnvoy, run_envoy, wait_until_served

pytestmark = pytest.mark.slow

UNITS = [f"user-{number}" for number in range(6_000)]
HALF = 5_000


@pytest.fixture
def envoy(tmp_path: Path) -> Iterator[RunningEnvoy]:
    with run_envoy(tmp_path, make_split_table(), with_clusters=False) as running:
        yield running


@pytest.mark.parametrize("weight", WEIGHTS)
def test_the_bench_expects_what_python_assigns(weight: str) -> None:
    endpoint = next(each for each in make_split_table().endpoints if each.key == weight)

    assert expected(endpoint, UNITS[:500]) == [assign(endpoint, unit).variant for unit in UNITS[:500]]


def test_at_every_weight_the_candidates_are_the_units_of_its_buckets(envoy: RunningEnvoy) -> None:
    for weight, width in WEIGHTS.items():
        arms = arms_of(envoy.port, f"/{weight}", UNITS)

        candidates = [unit for unit, arm in zip(UNITS, arms, strict=True) if arm == "candidate"]
        assert candidates == [unit for unit in UNITS if bucket(SALT, unit) >= 10_000 - width]
        assert arms.count("control") == len(UNITS) - len(candidates)


def test_another_envoy_splits_alike(envoy: RunningEnvoy, tmp_path: Path) -> None:
    with run_envoy(tmp_path / "other", make_split_table(), with_clusters=False) as other:
        assert arms_of(envoy.port, "/ten", UNITS) == arms_of(other.port, "/ten", UNITS)


def test_from_five_to_ten_percent_exactly_the_added_units_move(envoy: RunningEnvoy) -> None:
    before = arms_of(envoy.port, f"/{RAMP}", UNITS)
    write_routes(envoy.directory, make_split_table(version=2, ramp=TEN))
    wait_until_served(envoy.url, 2)
    after = arms_of(envoy.port, f"/{RAMP}", UNITS)

    added = [unit for unit in UNITS if FIVE // 2 <= bucket(SALT, unit) % HALF < TEN // 2]
    moved = [unit for unit, one, other in zip(UNITS, before, after, strict=True) if one != other]
    assert moved == added
    assert {one for one, other in zip(before, after, strict=True) if one != other} == {""}
