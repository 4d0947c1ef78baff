"""Defaults and descriptions of what is planned are the spec's alone; no database ever held them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0014_draft_version"),
    ]

    # Nothing is to be done in the database; SQLite would write the tables anew for it, past the guards of frozen plans.
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="plan",
                    name="alpha",
                    field=models.FloatField(),
                ),
                migrations.AlterField(
                    model_name="plan",
                    name="halt_alpha",
                    field=models.FloatField(),
                ),
                migrations.AlterField(
                    model_name="plan",
                    name="looks",
                    field=models.PositiveIntegerField(),
                ),
                migrations.AlterField(
                    model_name="plan",
                    name="maximum_seconds",
                    field=models.PositiveIntegerField(),
                ),
                migrations.AlterField(
                    model_name="plan",
                    name="minimum_units",
                    field=models.PositiveIntegerField(),
                ),
                migrations.AlterField(
                    model_name="plan",
                    name="power",
                    field=models.FloatField(),
                ),
                migrations.AlterField(
                    model_name="plan",
                    name="spending",
                    field=models.CharField(
                        choices=[
                            ("obrien-fleming", "O'Brien-Fleming type: strict early, hardly dearer than one look"),
                            ("pocock", "Pocock type: even, sooner for large effects"),
                        ],
                        max_length=20,
                    ),
                ),
                migrations.AlterField(
                    model_name="plan",
                    name="switched_off",
                    field=models.JSONField(blank=True, default=list),
                ),
                migrations.AlterField(
                    model_name="plan",
                    name="tick_seconds",
                    field=models.FloatField(),
                ),
                migrations.AlterField(
                    model_name="planmetric",
                    name="margin",
                    field=models.FloatField(),
                ),
                migrations.AlterField(
                    model_name="planmetric",
                    name="margin_kind",
                    field=models.CharField(
                        choices=[
                            ("relative", "Share of the control's value"),
                            ("absolute", "In the metric's own unit"),
                        ],
                        max_length=10,
                    ),
                ),
                migrations.AlterField(
                    model_name="planmetric",
                    name="minimum_effect",
                    field=models.FloatField(),
                ),
                migrations.AlterField(
                    model_name="stage",
                    name="soak_seconds",
                    field=models.PositiveIntegerField(),
                ),
                migrations.AlterField(
                    model_name="variant",
                    name="headers",
                    field=models.JSONField(blank=True, default=dict),
                ),
                migrations.AlterField(
                    model_name="variant",
                    name="query",
                    field=models.JSONField(blank=True, default=dict),
                ),
                migrations.AlterField(
                    model_name="variant",
                    name="weight",
                    field=models.PositiveIntegerField(),
                ),
            ],
        ),
    ]
