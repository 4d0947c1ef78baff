"""Where a metric is used."""

from django.db.models import QuerySet

from experiments.models import Metric, PlanMetric


def uses_of(metric: Metric) -> QuerySet[PlanMetric]:
    """Its part in each plan, the newest experiment's first, with the experiment and the edition."""
    return metric.plans.select_related("plan__experiment", "edition", "metric").order_by("-plan__experiment__pk")
