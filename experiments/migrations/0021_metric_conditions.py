"""Metrics may count some requests alone; and the metrics of time limits, broken answers, tokens, cost and retention."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from routing.models.stored_lists import check_conditions

RATE = {"type": "ratio", "denominator": "requests", "direction": "decrease", "display_unit": "%"}
RETENTION = {"type": "proportion", "numerator": "requests", "direction": "increase", "display_unit": "%"}
METRICS = {
    "time-out-rate": {
        **RATE,
        "name": "Time-out rate",
        "description": "Requests that the backend took too long for, a request. They are errors too.",
        "numerator": "timed_out",
    },
    "cut-off-rate": {
        **RATE,
        "name": "Cut-off rate",
        "description": "Answers that had begun and broke off, by their backend's doing or as their time was over, a "
        "request.",
        "numerator": "cut_off",
    },
    "inter-token-time": {
        "name": "Inter-token time",
        "description": "Mean over streams of the time a token takes, from the first byte on, where the tokens are "
        "known.",
        "type": "ratio",
        "numerator": "inter_token_ms",
        "denominator": "count(inter_token_ms)",
        "direction": "decrease",
        "display_unit": "ms",
    },
    "cost-per-user": {
        "name": "Cost per user",
        "description": "Mean cost of all requests of a user whose tokens are known.",
        "type": "mean",
        "numerator": "cost",
        "direction": "decrease",
    },
    "retention-day-1": {
        **RETENTION,
        "name": "Day-1 retention",
        "description": "Users who came back 24 to 48 hours after their first request, of those who have had the time.",
        "window_from_hours": 24,
        "window_to_hours": 48,
    },
    "retention-day-7": {
        **RETENTION,
        "name": "Day-7 retention",
        "description": "Users who came back 168 to 192 hours after their first request, of those who have had the time.",
        "window_from_hours": 168,
        "window_to_hours": 192,
    },
}


def create_metrics(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Whoever has a metric of such a key keeps it as it is."""
    for key, meaning in METRICS.items():
        apps.get_model("experiments", "Metric").objects.get_or_create(key=key, defaults=meaning)


class Migration(migrations.Migration):
    dependencies = [("experiments", "0020_metric_editions")]

    operations = [
        *(
            migrations.AddField(
                model_name=name,
                name="conditions",
                field=models.JSONField(
                    blank=True,
                    default=list,
                    help_text="Only requests that meet all of these count, like `edge is eu-1, eu-2`.",
                    validators=[check_conditions],
                ),
            )
            for name in ("metric", "metricedition")
        ),
        *(
            migrations.AlterField(
                model_name=name,
                name="window_from_hours",
                field=models.FloatField(
                    default=0,
                    help_text="Hours after a user's first request from which outcomes or requests count.",
                    validators=[MinValueValidator(0), MaxValueValidator(8784)],
                ),
            )
            for name in ("metric", "metricedition")
        ),
        migrations.RunPython(create_metrics, migrations.RunPython.noop),
    ]
