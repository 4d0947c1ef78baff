"""Layers, which endpoints may name; which endpoint is in which comes with the next migration."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("routing", "0004_switches")]

    operations = [
        migrations.RemoveConstraint(model_name="endpoint", name="endpoint_salt_not_empty"),
        migrations.CreateModel(
            name="Layer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.CharField(
                        max_length=63,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
                                "Use lower-case letters, digits and inner hyphens, like `chat-v2`.",
                            )
                        ],
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "salt",
                    models.CharField(
                        blank=True,
                        help_text="Separates this layer's assignment from all others; made when left out.",
                        max_length=64,
                    ),
                ),
                (
                    "holdout",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Share of the users whom no experiment takes, in 1/10 000: the last buckets.",
                        validators=[django.core.validators.MaxValueValidator(9999)],
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ("key",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("salt", ""), _negated=True), name="layer_salt_not_empty"
                    ),
                    models.CheckConstraint(condition=models.Q(("holdout__lt", 10000)), name="layer_holdout_in_range"),
                ],
            },
        ),
        migrations.AddField(
            model_name="endpoint",
            name="layer",
            field=models.ForeignKey(
                help_text="Endpoints of one layer have the same buckets; left out, the endpoint gets one of its own.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="endpoints",
                to="routing.layer",
            ),
        ),
    ]
