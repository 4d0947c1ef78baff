"""Keep what the metrics of a plan mean at its start, whatever becomes of them later."""

from experiments.models import Metric, MetricEdition, Plan
from experiments.models.metric import MEANING


def keep_meaning(plan: Plan) -> None:
    """Give each metric of a plan the edition that it has now. In the transaction that freezes the plan.

    Who is changing a metric of the plan is waited for. What default guardrails mean is said by the code.
    """
    metrics = Metric.objects.filter(plans__plan=plan).select_for_update(no_key=True, of=("self",)).order_by("pk")
    for metric in metrics:
        if not metric.default_guardrail:
            plan.metrics.filter(metric=metric).update(edition=_edition(metric))


def _edition(metric: Metric) -> MetricEdition:
    """The newest one, and a new one where the metric has come to mean something else."""
    newest = metric.editions.first()
    if newest is not None and newest.means(metric):
        return newest
    meaning = {name: getattr(metric, name) for name in MEANING}
    return metric.editions.create(number=newest.number + 1 if newest else 1, **meaning)
