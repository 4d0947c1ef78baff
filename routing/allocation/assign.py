"""Who gets which backend: the same answer as the data plane's, from the same hash."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType

import xxhash

from routing.allocation.unit_identity import NoUnitError, canonical_unit
from routing.table import BUCKETS, Endpoint, Parameters, Segment, Tier, admitted, meets, rule_of, segments, untaken

NO_PARAMETERS = Parameters()
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where a request goes, and as what it is measured; experiment, variant and stage are None when it is not.

    A unit that no experiment takes in has a bucket all the same; a request without a unit, or one that a tier
    answers, has none. `rule` names what decided in place of the endpoint's own, and `parameters` are what is set of
    the request.
    """

    backend: str
    experiment: str | None
    variant: str | None
    stage: int | None
    bucket: int | None
    held_out: bool = False
    tier: str | None = None
    rule: str | None = None
    parameters: Parameters = NO_PARAMETERS


def bucket(salt: str, unit: str) -> int:
    """Bucket of a unit, from 0 to 9 999: XXH64 of `salt:unit` in UTF-8 with seed 0, modulo 10 000."""
    return xxhash.xxh64_intdigest(f"{salt}:{unit}".encode(), seed=0) % BUCKETS


def assign(
    endpoint: Endpoint, unit: str | None, headers: Mapping[str, str] = NO_HEADERS, body_bytes: int | None = None
) -> Assignment:
    """The assignment of a unit on an endpoint; no unit, or a text that is none, is in no experiment.

    `headers` by their names in lower case decide audiences, rules and tiers; `body_bytes` is the length of the body,
    where it is known.
    """
    for tier in endpoint.tiers:
        if _answers(tier, headers, body_bytes):
            return Assignment(tier.backend, None, None, None, None, tier=tier.key)
    rule = rule_of(endpoint, headers)
    known = _canonical(unit)
    if known is None:
        return _assignment(untaken(endpoint, rule), None)
    place = bucket(endpoint.salt, known)
    return _assignment(_segment_at(segments(endpoint, admitted(endpoint, headers), rule), place), place)


def _assignment(found: Segment, place: int | None) -> Assignment:
    return Assignment(
        found.backend,
        found.experiment,
        found.variant,
        found.stage,
        place,
        found.held_out,
        rule=found.rule,
        parameters=found.parameters,
    )


def _canonical(unit: str | None) -> str | None:
    try:
        return canonical_unit(unit or "")
    except NoUnitError:
        return None


def _answers(tier: Tier, headers: Mapping[str, str], body_bytes: int | None) -> bool:
    short = not tier.longest_bytes or (body_bytes is not None and body_bytes <= tier.longest_bytes)
    return short and all(meets(condition, headers) for condition in tier.conditions)


def _segment_at(parts: tuple[Segment, ...], place: int) -> Segment:
    ends = accumulate(part.weight for part in parts)
    return next(part for part, end in zip(parts, ends, strict=True) if place < end)
