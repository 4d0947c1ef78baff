"""Which of an endpoint's experiments a request may be in, and what it gets otherwise, by conditions on its headers."""

from collections.abc import Iterator, Mapping
from itertools import combinations

from routing.table.rule_conditions import Condition, meets
from routing.table.types import Endpoint, Rule, RunningExperiment

MOST_AUDIENCES = 4
"""Different audiences on one endpoint; each doubles the routes that Envoy looks through."""

Audience = tuple[Condition, ...]


def audiences(endpoint: Endpoint) -> tuple[Audience, ...]:
    """The different audiences of an endpoint's experiments, those for everybody left out."""
    return tuple(dict.fromkeys(experiment.audience for experiment in endpoint.experiments if experiment.audience))


def admitted(endpoint: Endpoint, headers: Mapping[str, str]) -> tuple[RunningExperiment, ...]:
    """The experiments whose audience a request with these headers belongs to; names are in lower case."""
    return tuple(
        experiment
        for experiment in endpoint.experiments
        if all(meets(condition, headers) for condition in experiment.audience)
    )


def rule_of(endpoint: Endpoint, headers: Mapping[str, str]) -> Rule | None:
    """The rule that says what a request with these headers gets while no experiment takes it; None: none does."""
    met = (rule for rule in endpoint.rules if all(meets(condition, headers) for condition in rule.conditions))
    return next(met, None)


def combined(endpoint: Endpoint) -> Iterator[tuple[Audience, tuple[RunningExperiment, ...]]]:
    """Conditions with the experiments of who meets them, largest combination first.

    A request belongs to the first whose conditions it meets: no larger combination is met by it.
    """
    all_audiences = audiences(endpoint)
    for size in range(len(all_audiences), -1, -1):
        for chosen in combinations(all_audiences, size):
            conditions = tuple(dict.fromkeys(condition for audience in chosen for condition in audience))
            met = {(), *chosen}
            yield conditions, tuple(e for e in endpoint.experiments if e.audience in met)
