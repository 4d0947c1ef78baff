"""A forecast in a sentence."""

from math import floor, log10

from experiments.decide.wording import duration as spelled
from experiments.forecast.prospect import Prospect
from experiments.forecast.types import Duration, Obstacle
from experiments.stats.planning import PlannedUnits

SECONDS_A_DAY = 86_400.0


def summary(prospect: Prospect, needs: PlannedUnits | Obstacle, duration: Duration) -> str:
    """What it needs, how long that takes, and which metric takes longest."""
    if isinstance(needs, Obstacle):
        return f"What this plan needs is not known yet. {needs.detail} {needs.next_step}"
    parts = [f"Needs about {_users(prospect, needs)}{_time(prospect, duration)}."]
    if duration.obstacle:
        parts.append(f"{duration.obstacle.detail} {duration.obstacle.next_step}")
    return " ".join(parts[:1] + _longest(prospect, needs) + parts[1:])


def about(number: float) -> str:
    """A number to two digits that mean something, like `7,600`."""
    if number < 10:
        return f"{number:.0f}"
    step = 10 ** (floor(log10(number)) - 1)
    return f"{round(number / step) * step:,}"


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
    return f", {_days(duration.days)} at {traffic} traffic"


def _days(days: float) -> str:
    return f"{about(days)} days" if days >= 2.0 else spelled(days * SECONDS_A_DAY)


def _longest(prospect: Prospect, needs: PlannedUnits) -> list[str]:
    if len(prospect.plan.metrics) < 2:
        return []
    return [f"{prospect.labels[needs.binding.metric].name} takes longest."]
