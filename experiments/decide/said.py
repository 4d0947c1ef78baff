"""Numbers as people say them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from experiments.decide.types import Plan, Situation
from experiments.stats.core.types import HarmSince, MarginKind, MetricPlan, MetricResult


def compared(result: MetricResult, plan: Plan) -> str:
    """One metric of one candidate beside the control, with both counts of users."""
    label = plan.labels[result.metric]
    if result.variant_value is None or result.control_value is None:
        return f"{label.name} could not be measured ({result.note or 'no data'})"
    change = f" ({result.relative:+.1%})" if result.relative is not None else ""
    return (
        f"{label.name} is {value(result.variant_value, label.display_unit)} for {result.variant} against "
        f"{value(result.control_value, label.display_unit)} for {plan.control}{change}, from "
        f"{result.variant_units:,} and {result.control_units:,} users"
    )


def compared_since(harm: HarmSince, plan: Plan) -> str:
    """One metric or tail of one candidate beside the control since a later start."""
    label = plan.labels[harm.metric]
    return (
        f"{label.name} is {value(harm.variant_value, label.display_unit)} for {harm.variant} against "
        f"{value(harm.control_value, label.display_unit)} for {plan.control}, from {harm.variant_units:,} and "
        f"{harm.control_units:,} users"
    )


def moment(time: datetime) -> str:
    """A moment to the second, in UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def value(number: float, display_unit: str) -> str:
    """A value with its unit; shares are shown in per cent."""
    if display_unit == "%":
        return f"{number * 100:.3g} %"
    text = f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"
    return f"{text} {display_unit}".strip()


def margin_in_words(metric: MetricPlan, plan: Plan) -> str:
    """The harm that the plan accepts."""
    if metric.margin_kind is MarginKind.RELATIVE:
        return f"{metric.margin:.3g} of the control's value" if metric.margin > 1 else f"{metric.margin * 100:.3g} %"
    unit = plan.labels[metric.key].display_unit
    return f"{metric.margin * 100:.3g} percentage points" if unit == "%" else value(metric.margin, unit)


def information_in_words(situation: Situation) -> str:
    """How much of the information that the plan needs is there, for the metric that has the least."""
    least = min(situation.decisive, key=lambda result: result.information_fraction or 0.0)
    name = situation.plan.labels[least.metric].name
    return f"{name} has {min(least.information_fraction or 0.0, 1.0):.0%} of the information that the plan needs"


def duration(span: timedelta) -> str:
    """A span in the largest unit that fits."""
    for unit, name in ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min")):
        if span >= 2 * unit:
            return f"{span / unit:.3g} {name}"
    return f"{span.total_seconds():.0f} s"


def listed(parts: Sequence[str]) -> str:
    """Parts of a sentence, joined."""
    return "; ".join(parts)
