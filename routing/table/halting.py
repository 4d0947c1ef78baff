"""Whom a halt would give a candidate, since it is what they have without its experiment."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from routing.table.rule_conditions import Condition, apart
from routing.table.types import Arm, Endpoint, Parameters, RunningExperiment, Table


@dataclass(frozen=True, slots=True)
class Gift:
    """What users of an experiment who meet these `conditions`, and none of the rules `ahead`, have without it.

    `source` says by what, like `by rule german`; `longest_bytes` is that of a tier, and None for all else.
    """

    source: str
    backend: str
    parameters: Parameters
    conditions: frozenset[Condition] = frozenset()
    ahead: frozenset[frozenset[Condition]] = frozenset()
    longest_bytes: int | None = None

    def is_within(self, other: "Gift") -> bool:
        """Whether all whom this concerns have the same by the other."""
        same = (self.backend, _set_by(self.parameters), self.longest_bytes)
        wider = other.conditions <= self.conditions and other.ahead <= self.ahead
        return wider and same == (other.backend, _set_by(other.parameters), other.longest_bytes)


@dataclass(frozen=True, slots=True)
class HaltedInto:
    """A gift that is a candidate of an experiment, which `starts` or runs already."""

    experiment: str
    gift: Gift
    starts: bool


def halted_into(before: Table, after: Table) -> Iterator[HaltedInto]:
    """The gifts that a change of the table would make of candidates; those that were there before are none of its own.

    Of an experiment that starts those alone count that concern all of its audience whom no rule takes out of it:
    who has a candidate by a narrower rule or by a tier has it already, and keeps it.
    """
    running = {run.key: (endpoint, run) for endpoint in before.endpoints for run in _runs(endpoint)}
    for endpoint in after.endpoints:
        for run in _runs(endpoint):
            was = running.get(run.key)
            known, audience = list(_gifts(*was, before)) if was else [], frozenset(run.audience)
            had = _had(was[0] if was else endpoint, run)
            for gift in _gifts(endpoint, run, after):
                is_old = any(map(gift.is_within, known)) if was else not _is_for_all(gift, audience)
                if not is_old and _is_candidate(gift, run, had):
                    yield HaltedInto(run.key, gift, starts=was is None)


def _runs(endpoint: Endpoint) -> Sequence[RunningExperiment]:
    return [run for run in endpoint.experiments if run.arms]


def _gifts(endpoint: Endpoint, run: RunningExperiment, table: Table) -> Iterator[Gift]:
    """What its users have without it, and what answers in the place of that and of the control when it is down."""
    fallbacks = {backend.key: backend.fallback for backend in table.backends if backend.fallback}
    control = run.arms[0]
    own = [*_by_tiers(endpoint, run.audience), *_by_default(endpoint, run.audience)]
    yield from own
    for gift in (*own, Gift("", control.backend, control.parameters)):
        if gift.backend in fallbacks:
            yield replace(gift, source=f"as the fallback of {gift.backend}", backend=fallbacks[gift.backend])


def _by_tiers(endpoint: Endpoint, audience: Sequence[Condition]) -> Iterator[Gift]:
    for tier in endpoint.tiers:
        if not _are_apart(tier.conditions, audience):
            source, conditions = f"by tier {tier.key}", frozenset(tier.conditions)
            yield Gift(source, tier.backend, Parameters(), conditions, longest_bytes=tier.longest_bytes)


def _by_default(endpoint: Endpoint, audience: Sequence[Condition]) -> Iterator[Gift]:
    ahead: list[frozenset[Condition]] = []
    for rule in endpoint.rules:
        conditions = frozenset(rule.conditions)
        if _are_apart(rule.conditions, audience):
            continue
        yield Gift(f"by rule {rule.key}", rule.backend, rule.parameters, conditions, frozenset(ahead))
        if conditions <= frozenset(audience):
            return
        ahead.append(conditions)
    yield Gift(f"by the default of {endpoint.key}", endpoint.backend, endpoint.parameters, ahead=frozenset(ahead))


def _are_apart(some: Sequence[Condition], others: Sequence[Condition]) -> bool:
    return any(apart(one, other) for one in some for other in others)


def _is_for_all(gift: Gift, audience: frozenset[Condition]) -> bool:
    return gift.longest_bytes is None and gift.conditions <= audience


def _had(endpoint: Endpoint, run: RunningExperiment) -> set[str]:
    """The backends of the control and of what all of the audience have whom no experiment takes."""
    audience = frozenset(run.audience)
    whole = (gift.backend for gift in _by_default(endpoint, run.audience) if _is_for_all(gift, audience))
    return {run.arms[0].backend, *whole}


def _is_candidate(gift: Gift, run: RunningExperiment, had: Collection[str]) -> bool:
    """Another backend than users had is what is tried there; at one that they had it is what the variant sets."""
    control, *candidates = run.arms
    return any(
        arm.backend == gift.backend
        and _what(arm) != _what(control)
        and (arm.backend not in had or _sets_as(gift, arm, control))
        for arm in candidates
    )


def _sets_as(gift: Gift, arm: Arm, control: Arm) -> bool:
    """Whether it sets all that the variant sets otherwise than the control, whatever it sets besides."""
    given, tried, usual = (_items(each.parameters) for each in (gift, arm, control))
    return tried - usual <= given if tried - usual else tried == given


def _items(parameters: Parameters) -> frozenset[tuple[str, str, str]]:
    headers, query = _set_by(parameters)
    return frozenset((kind, *item) for kind, each in (("header", headers), ("query", query)) for item in each.items())


def _what(arm: Arm) -> tuple[str, object]:
    return arm.backend, _set_by(arm.parameters)


def _set_by(parameters: Parameters) -> tuple[dict[str, str], dict[str, str]]:
    """Names of headers are alike whatever their case."""
    return {name.lower(): value for name, value in parameters.headers}, dict(parameters.query)
