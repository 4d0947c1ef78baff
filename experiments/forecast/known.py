"""What is known of metrics and traffic before the start: stated, or else from history."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from controlplane.settings import get_environment
from experiments.decide.types import Plan
from experiments.evidence import CollectedBaseline, collect_baseline
from experiments.forecast.attempt import attempt
from experiments.forecast.stated import Stated, stated_baselines
from experiments.forecast.types import Obstacle, Source
from experiments.models import Experiment
from experiments.models.default_guardrails import DEFAULT_MARGINS
from experiments.plan.as_judged import metric_definitions
from experiments.stats.core.types import MarginKind, MetricPlan, Role
from experiments.stats.planning import Arrivals, Baseline
from experiments.stats.planning.baseline import from_history, mean, share
from routing.table import BasisPoints

ASSUMED: Mapping[str, Baseline] = {
    key: share(0.005) if accepted.margin_kind is MarginKind.ABSOLUTE else mean(1000.0, 1000.0)
    for key, accepted in DEFAULT_MARGINS.items()
}
"""What is taken for a default guardrail of which neither history nor anybody tells: that it is rare, and that users
differ in their latency by as much as they have.
"""


@dataclass(frozen=True, slots=True)
class Known:
    """Baselines by metric, or why there is none; and how users of the experiment arrive."""

    baselines: Mapping[str, Baseline]
    obstacles: Mapping[str, Obstacle]
    sources: Mapping[str, Source]
    arrivals: Arrivals | Obstacle
    arrivals_source: Source


def what_is_known(experiment: Experiment, plan: Plan, stated: Stated) -> Known:
    """What is stated, and from the lake what is not; the lake is left alone when all is stated.

    A guardrail that the plan has by default, and of which nothing is known, is as in `ASSUMED`.

    Raises:
        InvalidInput: `invalid-baselines`.
        Unavailable: `lake-unavailable`.

    """
    said = stated_baselines(stated, plan.metrics)
    decisive = [metric for metric in plan.metrics if metric.role is not Role.OBSERVED]
    silent = [metric for metric in decisive if metric.key not in said]
    history = _history(experiment, silent) if silent or stated.users_per_hour is None else None
    found = {metric.key: _from_history(experiment, metric, history) for metric in silent}
    recorded = {key: each for key, each in found.items() if isinstance(each, Baseline)}
    unheard = set(found) - set(recorded)
    assumed = {key: ASSUMED[key] for key in _by_default(experiment) & unheard}
    obstacles = {key: each for key, each in found.items() if isinstance(each, Obstacle) and key not in assumed}
    sources: dict[str, Source] = {
        **dict.fromkeys(recorded, "history"),
        **dict.fromkeys(said, "stated"),
        **dict.fromkeys(assumed, "assumed"),
    }
    source: Source = "history" if stated.users_per_hour is None else "stated"
    return Known({**recorded, **said, **assumed}, obstacles, sources, _arrivals(experiment, stated, history), source)


def _by_default(experiment: Experiment) -> set[str]:
    """The guardrails that the plan has without listing them."""
    return {each.metric.key for each in experiment.plan.metrics.all() if each.by_default}


def _history(experiment: Experiment, metrics: list[MetricPlan]) -> CollectedBaseline:
    keys = {metric.key for metric in metrics}
    definitions = [each for each in metric_definitions(experiment) if each.key in keys]
    return collect_baseline(get_environment().lake_url, experiment.endpoint.key, None, definitions)


def _from_history(experiment: Experiment, metric: MetricPlan, history: CollectedBaseline | None) -> Baseline | Obstacle:
    sums = history.sums.get(metric.key) if history else None
    advice = f"State it in `baselines`, or send traffic to {experiment.endpoint.key} and ask again."
    if sums is None:
        detail = f"Nothing was measured of {metric.key} in the last 7 days."
        return Obstacle.of("baseline-missing", detail, advice)
    reached = history.reached.get(metric.key, ()) if history else ()
    found = attempt(lambda: from_history(metric.type, sums, reached))
    if isinstance(found, Baseline):
        return found
    return replace(found, detail=f"{metric.key}: {found.detail}", next_step=advice)


def _arrivals(experiment: Experiment, stated: Stated, history: CollectedBaseline | None) -> Arrivals | Obstacle:
    """Users that take part: the endpoint's, times the experiment's share of them."""
    recorded = history.arrivals if history else None
    exponent = stated.exponent or (recorded.exponent if recorded else 1.0)
    first_hour = stated.users_per_hour or (recorded.first_hour if recorded else None)
    if first_hour is None:
        return Obstacle.of(
            "arrivals-missing",
            f"Too few users came to {experiment.endpoint.key} in the last 7 days to say how fast they come.",
            "State `users_per_hour`, or send traffic and ask again.",
        )
    part = BasisPoints(experiment.traffic).share
    most = recorded.most if recorded and stated.users_per_hour is None else math.inf
    return Arrivals(first_hour * part, exponent, most * part)
