"""Who gets which backend."""

import pytest
import xxhash

from routing.assign import Assignment, assign, bucket
from routing.table import Arm
from tests.routing.tables import make_endpoint, make_experiment

CONTROL = Arm("control", "stable", 0, 5_000)
CANDIDATE = Arm("candidate", "candidate", 5_000, 10_000)
ENDPOINT = make_endpoint("chat", make_experiment("new-model", CONTROL, CANDIDATE, stage=2, coverage=1_000))


def unit_in(place: int) -> str:
    return next(unit for number in range(1_000_000) if bucket("pepper", unit := f"user-{number}") == place)


def test_the_bucket_is_the_hash_of_salt_and_unit() -> None:
    assert bucket("pepper", "zoë") == xxhash.xxh64("pepper:zoë".encode()).intdigest() % 10_000


@pytest.mark.parametrize("unit", [None, ""])
def test_without_a_unit_the_endpoints_backend_answers_unmeasured(unit: str | None) -> None:
    assert assign(ENDPOINT, unit) == Assignment("stable", None, None, None, None)


@pytest.mark.parametrize(
    ("place", "backend", "variant"),
    [
        (0, "stable", "control"),
        (499, "stable", "control"),
        (500, "stable", None),
        (4_999, "stable", None),
        (5_000, "candidate", "candidate"),
        (5_499, "candidate", "candidate"),
        (5_500, "stable", None),
        (9_999, "stable", None),
    ],
)
def test_an_arm_uses_the_first_part_of_its_span(place: int, backend: str, variant: str | None) -> None:
    found = assign(ENDPOINT, unit_in(place))

    measured = variant is not None
    experiment, stage = ("new-model", 2) if measured else (None, None)
    assert found == Assignment(backend, experiment, variant, stage, place)
