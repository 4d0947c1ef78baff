"""From a draft and what is known to a forecast. Reads, and writes nothing."""

from experiments.forecast.duration import duration
from experiments.forecast.known import what_is_known
from experiments.forecast.needs import metric_needs, plan_needs, plan_needs_fact
from experiments.forecast.prospect import Prospect, prospect_of
from experiments.forecast.scenarios import simulation
from experiments.forecast.sentence import summary
from experiments.forecast.stated import NOTHING, Stated
from experiments.forecast.types import ExpectedArrivals, Forecast, Obstacle
from experiments.models import Experiment
from experiments.plan.as_judged import judge_plan, pure_plan


def forecast(experiment: Experiment, stated: Stated = NOTHING) -> Forecast:
    """What the experiment's plan needs and promises, from what is stated and else from the last 7 days.

    Takes a few seconds, and starts threads to read the lake.

    Raises:
        InvalidInput: `invalid-baselines`, a stated value makes no sense.
        Unavailable: `lake-unavailable`.

    """
    plan = pure_plan(experiment)
    known = what_is_known(experiment, plan, stated)
    return forecast_of(experiment.key, prospect_of(plan, judge_plan(experiment, plan), known))


def forecast_of(experiment: str, prospect: Prospect) -> Forecast:
    """All parts of the answer."""
    needs = plan_needs(prospect)
    expected = duration(prospect, needs)
    arrivals = prospect.known.arrivals
    return Forecast(
        experiment=experiment,
        summary=summary(prospect, needs, expected),
        arrivals=_arrivals(prospect),
        arrivals_obstacle=arrivals if isinstance(arrivals, Obstacle) else None,
        needs=plan_needs_fact(needs),
        duration=expected,
        metrics=metric_needs(prospect),
        simulation=simulation(prospect, needs),
    )


def _arrivals(prospect: Prospect) -> ExpectedArrivals | None:
    arrivals = prospect.known.arrivals
    if isinstance(arrivals, Obstacle):
        return None
    return ExpectedArrivals(
        users_first_hour=arrivals.first_hour, exponent=arrivals.exponent, source=prospect.known.arrivals_source
    )
