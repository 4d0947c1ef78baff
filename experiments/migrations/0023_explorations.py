"""Plans name dimensions, and what was found by these has rows of its own."""

import django.db.models.deletion
from django.db import migrations, models

from controlplane.audit.append_only import AppendOnly

FROZEN = "EXISTS (SELECT 1 FROM experiments_plan WHERE id = OLD.plan_id AND frozen_at IS NOT NULL)"
GUARDS = (
    AppendOnly("experiments_plan", condition="OLD.frozen_at IS NOT NULL"),
    AppendOnly("experiments_stage", condition=FROZEN),
    AppendOnly("experiments_planmetric", condition=FROZEN),
)


class Migration(migrations.Migration):
    dependencies = [("experiments", "0022_truncated_by_default")]

    operations = [
        *(guard.released() for guard in GUARDS),
        migrations.AddField(
            model_name="plan",
            name="dimensions",
            field=models.JSONField(blank=True, default=list),
        ),
        *GUARDS,
        migrations.CreateModel(
            name="Exploration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_at", models.DateTimeField()),
                (
                    "at",
                    models.DateTimeField(
                        help_text="The moment as of which the content is right; null before.", null=True
                    ),
                ),
                (
                    "content",
                    models.JSONField(default=dict, help_text="Effects and users by dimension and value."),
                ),
                (
                    "evidence_hash",
                    models.CharField(blank=True, help_text="Of the analysis that it is as new as.", max_length=64),
                ),
                (
                    "experiment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exploration",
                        to="experiments.experiment",
                    ),
                ),
            ],
        ),
    ]
