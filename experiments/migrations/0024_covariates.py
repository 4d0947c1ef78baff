"""Metrics of a plan may be adjusted by what users did in so many days before."""

from django.db import migrations, models

from controlplane.audit.append_only import AppendOnly

FROZEN = "EXISTS (SELECT 1 FROM experiments_plan WHERE id = OLD.plan_id AND frozen_at IS NOT NULL)"
GUARDS = (
    AppendOnly("experiments_plan", condition="OLD.frozen_at IS NOT NULL"),
    AppendOnly("experiments_stage", condition=FROZEN),
    AppendOnly("experiments_planmetric", condition=FROZEN),
)


class Migration(migrations.Migration):
    dependencies = [("experiments", "0023_explorations")]

    operations = [
        *(guard.released() for guard in GUARDS),
        migrations.AddField("plan", "covariate_days", models.PositiveIntegerField(default=14)),
        migrations.AddField("planmetric", "covariate", models.BooleanField(default=False)),
        *GUARDS,
    ]
