"""A forecast in a sentence."""

from math import floor, log10

from experiments.forecast.prospect import Prospect
from experiments.forecast.types import Duration, Obstacle
from experiments.stats.planning import PlannedUnits

SPANS = ((1.0, "days"), (24.0, "hours"), (24.0 * 60.0, "minutes"))
"""How many of each make a day."""


def summary(prospect: Prospect, needs: PlannedUnits | Obstacle, duration: Duration) -> str:
    """What it needs, how long that takes, and which metric takes longest."""
    if isinstance(needs, Obstacle):
        return f"The needs of this plan are not known yet. {needs.detail} {needs.next_step}"
    parts = [f"Needs about {_users(prospect, needs)}{_time(prospect, duration)}."]
    return " ".join([*parts, *_longest(prospect, needs), *_heavy_users(needs), *_hindered(duration)])


def about(number: float) -> str:
    """A number to two digits that mean something, like `7,600`."""
    if number < 10:
        return f"{number:.0f}"
    step = 10 ** (floor(log10(number)) - 1)
    return f"{round(number / step) * step:,}"


def spelled(days: float) -> str:
    """A span of time in the largest unit of which there are two, like `29 hours`."""
    fitting = [(days * a_day, name) for a_day, name in SPANS if days * a_day >= 2.0]
    number, name = fitting[0] if fitting else (days * SPANS[-1][0], SPANS[-1][1])
    return f"{about(number)} {name}"


def _users(prospect: Prospect, needs: PlannedUnits) -> str:
    shares = prospect.plan.shares
    if max(shares.values()) - min(shares.values()) < 1e-9:
        return f"{about(needs.binding.units)} users a variant"
    of_each = [f"{about(needs.total * share)} of {variant}" for variant, share in shares.items()]
    return f"{about(needs.total)} users, {' and '.join(of_each)}"


def _time(prospect: Prospect, duration: Duration) -> str:
    if duration.days is None:
        return ""
    traffic = "present" if prospect.known.arrivals_source == "history" else "stated"
    return f", {spelled(duration.days)} at {traffic} traffic"


def _longest(prospect: Prospect, needs: PlannedUnits) -> list[str]:
    if len(prospect.plan.metrics) < 2:
        return []
    return [f"{prospect.labels[needs.binding.metric].name} takes longest."]


def _heavy_users(needs: PlannedUnits) -> list[str]:
    """Why a share of requests takes longer than its errors tell."""
    if not needs.binding.heavy:
        return []
    sent = f"{about(needs.binding.heavy)} requests each"
    return [f"Some users send about {sent}, and enough of them have to be met to tell that none fails wholly."]


def _hindered(duration: Duration) -> list[str]:
    if duration.obstacle is None:
        return []
    too_long = f"That is longer than the {spelled(duration.maximum_days)} that the plan may take."
    detail = duration.obstacle.detail if duration.days is None else too_long
    return [f"{detail} {duration.obstacle.next_step}"]
