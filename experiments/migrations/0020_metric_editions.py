"""Plans that were started keep what their metrics meant: until now no metric of such a plan could be redefined."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

MEANING = (
    "type",
    "numerator",
    "denominator",
    "level",
    "cap",
    "window_from_hours",
    "window_to_hours",
    "settling_seconds",
    "direction",
    "display_unit",
)


def keep_meanings(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    frozen = apps.get_model("experiments", "PlanMetric").objects.filter(plan__frozen_at__isnull=False)
    for metric in apps.get_model("experiments", "Metric").objects.filter(pk__in=frozen.values("metric")):
        meaning = {name: getattr(metric, name) for name in MEANING}
        frozen.filter(metric=metric).update(edition=metric.editions.create(number=1, **meaning))


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0019_stored_sizes"),
    ]

    operations = [
        migrations.AddField(
            model_name="metric",
            name="owner",
            field=models.CharField(
                blank=True, help_text="Who answers for what it measures: a person or a team.", max_length=100
            ),
        ),
        migrations.CreateModel(
            name="MetricEdition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("proportion", "Proportion: share of users with any"),
                            ("mean", "Mean: total a user"),
                            ("ratio", "Ratio: total over total"),
                            ("quantile", "Quantile: of a request's value"),
                            ("accuracy", "Accuracy: share of labelled requests that are right"),
                            ("precision", "Precision: share of those called positive that are"),
                            ("recall", "Recall: share of positives that were found"),
                            ("f1", "F1: precision and recall in one"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "numerator",
                    models.CharField(help_text="A measure, like `errors` or `outcome(thumbs-up)`.", max_length=100),
                ),
                (
                    "denominator",
                    models.CharField(
                        blank=True,
                        help_text="A measure for ratios; the outcome that is the label for a classifier.",
                        max_length=100,
                    ),
                ),
                (
                    "level",
                    models.FloatField(blank=True, help_text="Which quantile, between 0 and 1, like 0.9.", null=True),
                ),
                (
                    "cap",
                    models.FloatField(
                        blank=True,
                        help_text="Most that one user's total counts; for means.",
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(1000000000000.0)],
                    ),
                ),
                (
                    "window_from_hours",
                    models.FloatField(
                        default=0,
                        help_text="Hours after a user's first request from which outcomes count.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(8784),
                        ],
                    ),
                ),
                (
                    "window_to_hours",
                    models.FloatField(
                        blank=True,
                        help_text="Hours until which they count; a user counts once these have passed.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(8784),
                        ],
                    ),
                ),
                (
                    "settling_seconds",
                    models.FloatField(
                        blank=True,
                        help_text="Longest time from a request to its outcomes; it counts from then on. Empty: as it is measured.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(31622400),
                        ],
                    ),
                ),
                (
                    "direction",
                    models.CharField(
                        choices=[("increase", "Higher is better"), ("decrease", "Lower is better")], max_length=10
                    ),
                ),
                (
                    "display_unit",
                    models.CharField(blank=True, help_text="Shown behind the value: `ms`, `%`.", max_length=20),
                ),
                (
                    "number",
                    models.PositiveIntegerField(
                        help_text="Counts what the metric has meant in plans that were started."
                    ),
                ),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                (
                    "metric",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="editions", to="experiments.metric"
                    ),
                ),
            ],
            options={
                "ordering": ("-number",),
            },
        ),
        migrations.AddField(
            model_name="planmetric",
            name="edition",
            field=models.ForeignKey(
                blank=True,
                help_text="What the metric meant when the plan was started; empty for a draft, and for default guardrails.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="plans",
                to="experiments.metricedition",
            ),
        ),
        migrations.AddConstraint(
            model_name="metricedition",
            constraint=models.UniqueConstraint(fields=("metric", "number"), name="metric_edition_once"),
        ),
        migrations.RunPython(keep_meanings, migrations.RunPython.noop),
    ]
