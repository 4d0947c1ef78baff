"""Which of an endpoint's experiments a request may be in, by the conditions of their audiences."""

from collections.abc import Iterator, Mapping
from itertools import combinations

from routing.table.conditions import Condition, meets
from routing.table.types import Endpoint, RunningExperiment

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
