"""The metrics that every installation has: what the edge can measure by itself."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

METRICS = (
    (
        "error-rate",
        "Error rate",
        "Requests that failed on our side, a request.",
        "ratio",
        "errors",
        "requests",
        "decrease",
        "%",
    ),
    ("failed-users", "Failed users", "Users who met at least one error.", "proportion", "errors", "", "decrease", "%"),
    ("latency", "Latency", "Mean duration of a request.", "ratio", "duration_ms", "requests", "decrease", "ms"),
    (
        "time-to-first-token",
        "Time to first token",
        "Mean time until an answer begins.",
        "ratio",
        "ttft_ms",
        "count(ttft_ms)",
        "decrease",
        "ms",
    ),
    (
        "cost-per-request",
        "Cost per request",
        "Mean cost of a request whose tokens are known.",
        "ratio",
        "cost",
        "count(cost)",
        "decrease",
        "",
    ),
    (
        "completion-tokens",
        "Completion tokens",
        "Mean length of an answer whose tokens are known.",
        "ratio",
        "completion_tokens",
        "count(completion_tokens)",
        "decrease",
        "",
    ),
    ("requests-per-user", "Requests per user", "How often a user comes back.", "mean", "requests", "", "increase", ""),
)
FIELDS = ("key", "name", "description", "type", "numerator", "denominator", "direction", "display_unit")


def create_metrics(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    model = apps.get_model("experiments", "Metric")
    for row in METRICS:
        model.objects.create(**dict(zip(FIELDS, row, strict=True)))


class Migration(migrations.Migration):
    dependencies = [("experiments", "0002_append_only")]
    operations = [migrations.RunPython(create_metrics, migrations.RunPython.noop)]
