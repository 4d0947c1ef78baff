"""Who gets which backend: the same answer as the data plane's, from the same hash."""

from dataclasses import dataclass
from itertools import accumulate

import xxhash

from routing.table import BUCKETS, Endpoint, Segment, segments


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where a request goes, and as what it is measured; the last four are None when it is not measured.

    A unit that no experiment takes in has a bucket all the same; a request without a unit has none.
    """

    backend: str
    experiment: str | None
    variant: str | None
    stage: int | None
    bucket: int | None


def bucket(salt: str, unit: str) -> int:
    """Bucket of a unit, from 0 to 9 999: XXH64 of `salt:unit` in UTF-8 with seed 0, modulo 10 000."""
    return xxhash.xxh64_intdigest(f"{salt}:{unit}".encode(), seed=0) % BUCKETS


def assign(endpoint: Endpoint, unit: str | None) -> Assignment:
    """The assignment of a unit on an endpoint; no unit, or an empty one, gets the endpoint's own backend."""
    if not unit:
        return Assignment(endpoint.backend, None, None, None, None)
    place = bucket(endpoint.salt, unit)
    segment = _segment_at(endpoint, place)
    return Assignment(segment.backend, segment.experiment, segment.variant, segment.stage, place)


def _segment_at(endpoint: Endpoint, place: int) -> Segment:
    parts = segments(endpoint)
    ends = accumulate(part.weight for part in parts)
    return next(part for part, end in zip(parts, ends, strict=True) if place < end)
