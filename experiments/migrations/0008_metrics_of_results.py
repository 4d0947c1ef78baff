"""Metrics of how requests ended and why models stopped, and the default guardrails of drafts."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

METRICS = (
    (
        "client-error-rate",
        "Client error rate",
        "Requests that the backend would not have (4xx), a request.",
        "client_errors",
    ),
    ("redirect-rate", "Redirect rate", "Requests that the backend sent elsewhere (3xx), a request.", "redirects"),
    (
        "abandon-rate",
        "Abandon rate",
        "Requests that the client left before the answer was whole, a request.",
        "abandoned",
    ),
    ("truncated-rate", "Truncated answers", "Answers cut at a length, of those that tell why they ended.", "truncated"),
    (
        "filtered-rate",
        "Filtered answers",
        "Answers that a filter stopped, of those that tell why they ended.",
        "filtered",
    ),
    ("refusal-rate", "Refusals", "Answers that the model refused, of those that tell why they ended.", "refusals"),
)
# As they were when this was written; later ones are later migrations'.
GUARDRAILS = {"error-rate": 0.01, "client-error-rate": 0.01, "redirect-rate": 0.01, "abandon-rate": 0.02}


def create_metrics(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    for key, name, description, numerator in METRICS:
        apps.get_model("experiments", "Metric").objects.get_or_create(
            key=key,
            defaults={
                "name": name,
                "description": description,
                "type": "ratio",
                "numerator": numerator,
                "denominator": "requests",
                "direction": "decrease",
                "display_unit": "%",
            },
        )


def guard_drafts(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """A plan that has started is frozen, and stays as it was registered."""
    plans, rows = apps.get_model("experiments", "Plan"), apps.get_model("experiments", "PlanMetric")
    metrics = apps.get_model("experiments", "Metric").objects.in_bulk(list(GUARDRAILS), field_name="key")
    for plan in plans.objects.filter(frozen_at=None):
        listed = list(plan.metrics.values_list("metric__key", flat=True))
        for number, key in enumerate(key for key in GUARDRAILS if key not in listed):
            rows.objects.create(
                plan=plan,
                metric=metrics[key],
                position=len(listed) + number,
                role="guardrail",
                margin=GUARDRAILS[key],
                margin_kind="absolute",
                minimum_effect=0.5,
                by_default=True,
            )


class Migration(migrations.Migration):
    dependencies = [("experiments", "0007_default_guardrails")]
    operations = [
        migrations.RunPython(create_metrics, migrations.RunPython.noop),
        migrations.RunPython(guard_drafts, migrations.RunPython.noop),
    ]
