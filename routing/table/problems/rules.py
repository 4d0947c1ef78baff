"""Checks of rules: what audiences get while no experiment takes them."""

from collections.abc import Iterator

from controlplane.problems.problem import Problem
from routing.table.problems.endpoints import condition_problems
from routing.table.problems.parameters import parameter_problems
from routing.table.problems.repeated_names import key_problems, repeated, unknown_backend
from routing.table.types import MOST_RULES, Endpoint, Table


def rule_problems(table: Table) -> Iterator[Problem]:
    """What is wrong with the rules of a table."""
    backends = {backend.key for backend in table.backends}
    for endpoint in table.endpoints:
        yield from _rule_problems(endpoint, backends)


def _rule_problems(endpoint: Endpoint, backends: set[str]) -> Iterator[Problem]:
    yield from repeated("rule", (f"{endpoint.key}/{rule.key}" for rule in endpoint.rules))
    if len(endpoint.rules) > MOST_RULES:
        detail = f"Endpoint {endpoint.key} has {len(endpoint.rules)} rules."
        yield Problem("rules-too-many", "Too many rules", detail, f"Keep at most {MOST_RULES}.")
    for rule in endpoint.rules:
        owner = f"Rule {rule.key} of endpoint {endpoint.key}"
        yield from key_problems("rule", rule.key)
        yield from condition_problems(rule.conditions, owner)
        yield from unknown_backend(backends, rule.backend, owner)
        yield from parameter_problems(rule.parameters, owner)
        if not rule.conditions:
            next_step = "Give it a condition on a header, or change the endpoint's own backend."
            yield Problem("rule-invalid", "A rule for everything", f"{owner} has no condition.", next_step)
