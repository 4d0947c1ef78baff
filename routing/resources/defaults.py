"""What users of an endpoint get while no experiment takes them: all of them, or those of an audience."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain, count
from typing import Any

from routing.models import Backend, Endpoint, stored_lists
from routing.table import MOST_RULES

LONGEST_KEY = 63


@dataclass(frozen=True, slots=True)
class Default:
    """A backend, and the headers and query parameters that are set of its requests."""

    backend: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        headers = [f"{name}: {value}" for name, value in self.headers.items()]
        query = [f"?{name}={value}" for name, value in self.query.items()]
        return " with ".join(filter(None, (self.backend, ", ".join(headers + query))))

    def over(self, beneath: "Default") -> "Default":
        """The same backend; of what both set, its own values, and what the other sets beneath them."""
        own, other = (
            stored_lists.parameters(self.headers, self.query),
            stored_lists.parameters(beneath.headers, beneath.query),
        )
        both = own.over(other)
        return Default(self.backend, dict(both.headers), dict(both.query))


def default_of(endpoint: Endpoint, audience: Sequence[str] = ()) -> Default:
    """What a rule of just these conditions says; where there is none, what the endpoint's own default is."""
    rule = next((rule for rule in stored_lists.rules(endpoint.rules) if _is_for(rule, audience)), None)
    if rule is not None:
        return Default(rule.backend, rule.headers, rule.query)
    return Default(endpoint.backend.key, endpoint.headers, endpoint.query)


def standby_of(endpoint: Endpoint) -> Default | None:
    """What a switch lets answer; None where there is no standby."""
    if endpoint.standby is None:
        return None
    return Default(endpoint.standby.key, endpoint.standby_headers, endpoint.standby_query)


def in_words(endpoint: Endpoint) -> str:
    """Who gets what while no experiment takes anybody, like `all users of chat get stable`."""
    own = default_of(endpoint)
    rules = [
        f"{Default(rule.backend, rule.headers, rule.query)} where {' and '.join(rule.conditions)}"
        for rule in stored_lists.rules(endpoint.rules)
    ]
    if not rules:
        return f"all users of {endpoint.key} get {own}"
    return f"users of {endpoint.key} get {own}, but {', '.join(rules)}"


def with_default(
    endpoint: Endpoint, default: Default, *, audience: Sequence[str], everybody: bool, key: str
) -> dict[str, Any]:
    """The fields of an endpoint that give this to an audience by a rule of this key, or to everybody without a rule.

    What the audience gets already of headers and query parameters stays beneath. A rule for an audience comes first,
    and replaces the one for the same; all other rules stay, whoever else gets something new.
    """
    whole = default.over(default_of(endpoint, audience))
    others = rules_beside(endpoint, audience)
    if audience and not everybody:
        return {"rules": [_rule(key, audience, whole, others), *others]}
    backend = Backend.objects.get(key=whole.backend)
    changes = {"backend": backend, "headers": whole.headers, "query": whole.query, "rules": others}
    return {**changes, **_as_standby(endpoint)} if endpoint.standby_id == backend.pk else changes


def swapped(endpoint: Endpoint, standby: Backend) -> dict[str, Any]:
    """The fields of an endpoint whose default and standby have changed places, each with its parameters."""
    default = {"backend": standby, "headers": endpoint.standby_headers, "query": endpoint.standby_query}
    return {**default, **_as_standby(endpoint)}


def rules_beside(endpoint: Endpoint, audience: Sequence[str]) -> list[dict[str, Any]]:
    """The rules of an endpoint but for that of just this audience."""
    return [rule for rule in endpoint.rules if not _is_for(stored_lists.RuleShape.model_validate(rule), audience)]


def rules_are_full(endpoint: Endpoint, audience: Sequence[str]) -> bool:
    """Whether no further rule fits that this audience may get."""
    return len(rules_beside(endpoint, audience)) >= MOST_RULES


def _as_standby(endpoint: Endpoint) -> dict[str, Any]:
    return {"standby": endpoint.backend, "standby_headers": endpoint.headers, "standby_query": endpoint.query}


def _rule(key: str, audience: Sequence[str], default: Default, others: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    taken = {rule["key"] for rule in others}
    names = chain([key], (f"{key[: LONGEST_KEY - 4]}-{number}" for number in count(2)))
    return {"key": next(name for name in names if name not in taken), "conditions": list(audience), **asdict(default)}


def _is_for(rule: stored_lists.RuleShape, audience: Sequence[str]) -> bool:
    return set(stored_lists.conditions(rule.conditions)) == set(stored_lists.conditions(list(audience)))
